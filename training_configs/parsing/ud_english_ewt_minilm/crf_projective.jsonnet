local data_sets = import 'structured_energy/parsing_data_sets.libsonnet';
local methods = import 'structured_energy/parsing.libsonnet';

methods.crf_projective(data_sets.ud_english_ewt_minilm)
