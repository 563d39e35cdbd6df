// The data sets of sequences of tags, and the hyper-parameters for each.
local tuned = std.parseJson(importstr 'tuned.json');

local characters = { type: 'characters', min_padding_length: 5 };

local defaults = (import 'defaults.libsonnet') {
  indexers: {
    tokens: { type: 'single_id', lowercase_tokens: true },
    characters: characters,
  },
  // Those of Ma & Hovy 2016, without pretrained vectors.
  embedders: {
    tokens: { type: 'embedding', embedding_dim: 100 },
    characters: {
      type: 'character_encoding',
      embedding: { vocab_namespace: 'token_characters', embedding_dim: 30 },
      encoder: { type: 'cnn', embedding_dim: 30, num_filters: 30, ngram_filter_sizes: [3] },
    },
  },
  embedding_dim: 130,  // of all embedders together
  batch_size: 32,
  hidden: 100,  // of each direction of the LSTM
  dropout: 0.5,
  lr: 2e-3,
  weight_decay: 1e-5,
  num_epochs: 30,
  patience: 6,
  score_hidden: 50,
  structured_scores: ['linear-chain'],
  oracle_value: 'hamming',
  metrics: ['tag-accuracy'],
  validation_metric: '+tag_accuracy',
  score_weight: 0.1,
  task_cost_weight: 1.0,
};

local data_sets = {
  twpos: defaults {
    reader: { type: 'tagging-conll', separator: 'tab', token_indexers: data_sets.twpos.indexers },
    train: 'data://twpos/train',
    validation: 'data://twpos/validation',
    test: 'data://twpos/test',
  },

  // The universal part of speech.
  ud_english_ewt: defaults {
    reader: {
      type: 'tagging-conll',
      conllu: true,
      token_column: 1,
      tag_column: 3,
      token_indexers: data_sets.ud_english_ewt.indexers,
    },
    train: 'data://ud_english_ewt/train',
    validation: 'data://ud_english_ewt/validation',
    test: 'data://ud_english_ewt/test',
    num_epochs: 6,
    patience: 2,
  },

  // Semantic roles. The training part is not published with it: the validation part is cut in two.
  up_english_ewt: defaults {
    indexers+: { predicate: { type: 'single_id', namespace: null, feature_name: 'type_id' } },
    embedders+: { predicate: { type: 'embedding', num_embeddings: 2, embedding_dim: 10 } },
    embedding_dim: super.embedding_dim + 10,
    reader: { type: 'srl-conllu', token_indexers: data_sets.up_english_ewt.indexers },
    train: 'data://up_english_ewt/validation[:90%]',
    validation: 'data://up_english_ewt/validation[90%:]',
    test: 'data://up_english_ewt/test',
    metrics: ['role-f1', 'tag-accuracy'],
    validation_metric: '+role_f1',
    num_epochs: 15,
    patience: 4,
  },
};

// A data set that was not searched itself has what was found on twpos, the quickest.
{
  [name]: data_sets[name] { tuned: std.get(tuned, name, std.get(tuned, 'twpos', {})) }
  for name in std.objectFields(data_sets)
}
