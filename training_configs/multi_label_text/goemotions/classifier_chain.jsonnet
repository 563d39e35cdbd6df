local data_sets = import 'structured_energy/multi_label_text_data_sets.libsonnet';
local methods = import 'structured_energy/multi_label_text.libsonnet';

methods.classifier_chain(data_sets.goemotions)
