local data_sets = import '../../lib/data_sets.libsonnet';
local methods = import '../../lib/multi_label.libsonnet';

methods.cross_entropy_oracle_cost(data_sets.yeast)
