local data_sets = import 'structured_energy/hierarchical_data_sets.libsonnet';
local methods = import 'structured_energy/hierarchical.libsonnet';

methods.crf(data_sets.imclef07a)
