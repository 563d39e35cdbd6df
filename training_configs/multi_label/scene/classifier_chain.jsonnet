local data_sets = import 'structured_energy/data_sets.libsonnet';
local methods = import 'structured_energy/multi_label.libsonnet';

methods.classifier_chain(data_sets.scene)
