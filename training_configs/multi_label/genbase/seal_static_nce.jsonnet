local data_sets = import 'structured_energy/data_sets.libsonnet';
local methods = import 'structured_energy/multi_label.libsonnet';

methods.seal_static_nce(data_sets.genbase)
