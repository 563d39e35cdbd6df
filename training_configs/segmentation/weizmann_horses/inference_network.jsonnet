local data_sets = import 'structured_energy/segmentation_data_sets.libsonnet';
local methods = import 'structured_energy/segmentation.libsonnet';

methods.inference_network(data_sets.weizmann_horses)
