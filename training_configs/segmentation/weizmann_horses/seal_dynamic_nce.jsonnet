local data_sets = import '../../lib/segmentation_data_sets.libsonnet';
local methods = import '../../lib/segmentation.libsonnet';

methods.seal_dynamic_nce(data_sets.weizmann_horses)
