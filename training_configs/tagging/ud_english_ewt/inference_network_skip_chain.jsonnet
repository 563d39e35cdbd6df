local data_sets = import '../../lib/tagging_data_sets.libsonnet';
local methods = import '../../lib/tagging.libsonnet';

methods.inference_network_skip_chain(data_sets.ud_english_ewt)
