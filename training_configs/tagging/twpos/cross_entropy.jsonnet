local data_sets = import '../../lib/tagging_data_sets.libsonnet';
local methods = import '../../lib/tagging.libsonnet';

methods.cross_entropy(data_sets.twpos)
