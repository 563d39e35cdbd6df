local data_sets = import 'structured_energy/data_sets.libsonnet';
local methods = import 'structured_energy/multi_label.libsonnet';

methods.cross_fitted(data_sets.cal500)
