local data_sets = import '../../lib/data_sets.libsonnet';
local methods = import '../../lib/multi_label.libsonnet';

methods.spen(data_sets.bibtex)
