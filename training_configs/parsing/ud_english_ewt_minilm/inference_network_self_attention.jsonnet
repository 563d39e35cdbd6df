local data_sets = import 'structured_energy/parsing_data_sets.libsonnet';
local methods = import 'structured_energy/parsing.libsonnet';

methods.inference_network_self_attention(data_sets.ud_english_ewt_minilm)
