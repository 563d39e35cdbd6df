local data_sets = import '../../lib/data_sets.libsonnet';
local methods = import '../../lib/multi_label.libsonnet';

methods.inference_network_cost_augmented(data_sets.yeast)
