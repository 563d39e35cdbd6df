local data_sets = import '../../lib/data_sets.libsonnet';
local methods = import '../../lib/multi_label.libsonnet';

methods.spen_end_to_end(data_sets.genbase)
