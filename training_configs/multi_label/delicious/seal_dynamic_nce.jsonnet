local data_sets = import '../../lib/data_sets.libsonnet';
local methods = import '../../lib/multi_label.libsonnet';

methods.seal_dynamic_nce(data_sets.delicious)
