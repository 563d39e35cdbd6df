// The data sets of dependency trees, and the hyper-parameters for each.
local complete = (import 'parsing.libsonnet').complete;
local transformers = import 'transformers.libsonnet';

local ud_english_ewt = {
  train: 'data://ud_english_ewt/train',
  validation: 'data://ud_english_ewt/validation',
  test: 'data://ud_english_ewt/test',
};

local data_sets = {
  ud_english_ewt: ud_english_ewt,

  // The words encoded once by a transformer, which is not trained.
  ud_english_ewt_minilm: ud_english_ewt {
    transformer: transformers.minilm,
    frozen: true,
    layers: [2, 4, 6],
    embedding_dim: 3 * 384,
    input_dropout: 0.2,
    num_layers: 1,
    warmup_steps: 200,
    num_epochs: 10,
    patience: 4,
  },
};

{ [name]: complete(data_sets[name]) for name in std.objectFields(data_sets) }
