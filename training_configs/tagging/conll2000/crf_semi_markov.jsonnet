local data_sets = import 'structured_energy/tagging_data_sets.libsonnet';
local methods = import 'structured_energy/tagging.libsonnet';

methods.crf_semi_markov(data_sets.conll2000)
