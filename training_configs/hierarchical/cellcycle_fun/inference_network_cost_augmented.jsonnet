local data_sets = import 'structured_energy/hierarchical_data_sets.libsonnet';
local methods = import 'structured_energy/hierarchical.libsonnet';

methods.inference_network_cost_augmented(data_sets.cellcycle_fun)
