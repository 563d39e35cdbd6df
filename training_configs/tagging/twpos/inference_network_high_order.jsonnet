local data_sets = import '../../lib/tagging_data_sets.libsonnet';
local methods = import '../../lib/tagging.libsonnet';

methods.inference_network_high_order(data_sets.twpos)
