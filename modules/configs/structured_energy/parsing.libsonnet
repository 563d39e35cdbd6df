// Dependency trees. A config is one call: a method of the table of a data set, which has the paths
// of the data, their reader, and what differs from `defaults`. The published data sets stand in
// parsing_data_sets.libsonnet.
local methods = import 'methods.libsonnet';
local search_spaces = import 'parsing_search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';
local transformers = import 'transformers.libsonnet';

// Dozat & Manning 2017, with characters in place of tags.
local network(d, hidden, arc_size, relation_size, dropout) = {
  local lstm = {
    type: 'lstm',
    input_size: d.embedding_dim,
    hidden_size: hidden,
    num_layers: d.num_layers,
    bidirectional: true,
    dropout: if d.num_layers > 1 then dropout else 0.0,
  },
  encoder: transformers.sentences(d, lstm, dropout),
  projection: {
    type: 'biaffine',
    arc_size: arc_size,
    relation_size: relation_size,
    dropout: dropout,
  },
};

// What an energy has beside its arcs: pairs of them (Wang & Tu 2020), or all at once.
local terms(d) = {
  second_order: [{ type: name, size: d.term_size } for name in ['sibling', 'grandparent']],
  self_attention: ['self-attention'],
};

local lib = methods({
  defaults: transformers.words {
    reader: 'dependency-conllu',
    indexers: {
      tokens: { type: 'single_id', lowercase_tokens: true },
      characters: { type: 'characters', min_padding_length: 5 },
    },
    embedders: {
      tokens: { type: 'embedding', embedding_dim: 100 },
      characters: {
        type: 'character_encoding',
        embedding: { vocab_namespace: 'token_characters', embedding_dim: 50 },
        encoder: { type: 'cnn', embedding_dim: 50, num_filters: 50, ngram_filter_sizes: [3] },
      },
    },
    embedding_dim: 150,  // of all embedders together
    projective: false,
    single_root: true,
    batch_size: 32,
    num_layers: 2,
    hidden: 200,  // of each direction of the LSTM
    arc_size: 400,
    relation_size: 100,
    dropout: 0.33,
    lr: 2e-3,
    weight_decay: 1e-5,
    num_epochs: 30,
    patience: 6,
    structured_scores: [],
    positions: 'sum',
    score_hidden: 100,
    score_arc_size: 100,
    score_relation_size: 50,
    term_size: 50,  // of second-order terms
    oracle_value: 'hamming',
    metrics: ['uas', 'las', 'clas'],
    validation_metric: '+las',
    score_weight: 0.1,
    task_cost_weight: 1.0,
    num_draws: 10,
    inference_steps: 10,
  },

  base(d): transformers.warmup(d) + {
    dataset_reader:
      { token_indexers: transformers.word_indexers(d) }
      + (if std.isString(d.reader) then { type: d.reader } else d.reader),
    data_loader: {
      batch_sampler: { type: 'bucket', batch_size: d.batch_size, sorting_keys: ['x'] },
    },
    validation_data_loader: {
      batch_sampler: { type: 'bucket', batch_size: 64, sorting_keys: ['x'], padding_noise: 0.0 },
    },
    model+: {
      output_space: {
        type: 'dependency-tree',
        projective: d.projective,
        single_root: d.single_root,
      },
      oracle_value: d.oracle_value,
      metrics: d.metrics,
    },
    trainer+: { validation_metric: d.validation_metric, grad_norm: 5.0 },
  },

  task_network(d): {
    model+: { task_network: network(d, d.hidden, d.arc_size, d.relation_size, d.dropout) },
  },

  score_network(d): {
    model+: {
      score_network: network(
        d, d.score_hidden, d.score_arc_size, d.score_relation_size, d.score_dropout
      ) {
        structured_scores: d.structured_scores,
        positions: d.positions,
      },
    },
  },

  cost_augmented(d): error 'dependency trees have no cost-augmented network of their own',
});

// Koo et al. 2007: the likelihood of trees, exact in training and prediction, with the network that
// is the task network of other methods.
local crf(d) = lib.exact(d {
  score_arc_size: d.arc_size,
  score_relation_size: d.relation_size,
  structured_scores: [],
});

swappable({
  [method](d): lib[method](d)
  for method in [
    'cross_entropy',
    'inference_network',
    'seal_dynamic_margin',
    'seal_dynamic_nce',
    'spen',
  ]
} + {
  defaults:: lib.defaults,
  complete:: lib.complete,

  crf(d): crf(lib.of_method(d, 'crf')),

  // The same over projective trees, by the inside algorithm and Eisner's.
  crf_projective(d): crf(lib.of_method(d, 'crf_projective') { projective: true }),

  // The value of an output is a mean over its tokens.
  dvn(d): lib.dvn(d { positions: 'mean' }),
} + {
  ['inference_network_' + term](d): lib.inference_network(d {
    structured_scores: terms(lib.complete(d))[term],
    tuned: { inference_network: std.get(lib.complete(d).tuned, 'inference_network_' + term, {}) },
  })
  for term in std.objectFields(terms(lib.defaults))
}, search_spaces)
