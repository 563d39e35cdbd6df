local data_sets = import 'structured_energy/segmentation_data_sets.libsonnet';
local methods = import 'structured_energy/segmentation.libsonnet';

methods.seal_dynamic_dvn(data_sets.weizmann_horses)
