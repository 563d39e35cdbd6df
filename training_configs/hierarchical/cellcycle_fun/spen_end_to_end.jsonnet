local data_sets = import 'structured_energy/hierarchical_data_sets.libsonnet';
local methods = import 'structured_energy/hierarchical.libsonnet';

methods.spen_end_to_end(data_sets.cellcycle_fun)
