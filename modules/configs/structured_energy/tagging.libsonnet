// Sequences of tags. A config is one call: a method of the table of a data set, which has the paths
// of the data, their reader, and what differs from `defaults`. The published data sets stand in
// tagging_data_sets.libsonnet.
local methods = import 'methods.libsonnet';
local networks = import 'networks.libsonnet';
local search_spaces = import 'tagging_search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';
local transformers = import 'transformers.libsonnet';

local encoder(d, hidden, dropout) =
  local lstm = {
    type: 'lstm',
    input_size: d.embedding_dim,
    hidden_size: hidden,
    bidirectional: true,
  };
  transformers.sentences(d, lstm, dropout);

// What an energy has beside the linear chain (Tu et al. 2020).
local terms = {
  skip_chain: { type: 'skip-chain', order: 3 },
  high_order: { type: 'high-order', order: 2, feedforward: networks.feedforward([50], 0.0) },
  convolutional: { type: 'convolutional', width: 5, num_filters: 50 },
  self_attention: { type: 'self-attention' },
  label_language_model: { type: 'label-language-model' },
};

local characters = { type: 'characters', min_padding_length: 5 };

local lib = methods({
  defaults: transformers.words {
    local d = self,
    reader: 'tagging-conll',
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
    // The encoding of spans, which a chain with exact inference respects: that of the reader.
    encoding:
      if std.isString(d.reader) then null
      else std.get(d.reader, 'convert_to', std.get(d.reader, 'encoding', null)),
    max_segment_length: 8,  // in tokens, of `crf_semi_markov`
    // The labels that begin once at most in a prediction of `crf` and `crf_semi_markov`, such as the
    // core roles of a predicate.
    unique: [],
    oracle_value: 'hamming',
    metrics: ['tag-accuracy'],
    validation_metric: '+tag_accuracy',
    score_weight: 0.1,
    task_cost_weight: 1.0,
  },

  base(d): transformers.warmup(d) + {
    assert d.unique == [] :
           "Expected no labels that are 'unique' in the table of a method without exact inference, "
           + "got %s; choose 'crf', or the inference 'constrained' with 'unique'."
             % std.join(', ', d.unique),
    dataset_reader:
      { token_indexers: transformers.word_indexers(d) }
      + (if std.isString(d.reader) then { type: d.reader } else d.reader),
    data_loader: {
      batch_sampler: { type: 'bucket', batch_size: d.batch_size, sorting_keys: ['x'] },
    },
    validation_data_loader: {
      batch_sampler: { type: 'bucket', batch_size: 128, sorting_keys: ['x'], padding_noise: 0.0 },
    },
    model+: {
      output_space: 'categorical',
      oracle_value: d.oracle_value,
      metrics: d.metrics,
    },
    trainer+: { validation_metric: d.validation_metric },
  },

  task_network(d): { model+: { task_network: { encoder: encoder(d, d.hidden, d.dropout) } } },

  score_network(d): {
    model+: {
      score_network: {
        encoder: encoder(d, d.score_hidden, d.score_dropout),
        structured_scores: d.structured_scores,
      },
    },
  },

  // A sequence encoder of the output and the true tags, as Tu et al. 2020 have for tags.
  cost_augmented(d): {
    encoder: { type: 'lstm', hidden_size: d.cost_augmented[0], bidirectional: true },
  },
});

// A field of one structured score. With unique labels it predicts the best sequence, without
// probabilities.
local exact(d, encoding, structured_score) =
  lib.exact(d { unique: [], structured_scores: [structured_score] }) {
    model+: (
      if d.unique == [] then {
        inference: { type: 'exact', kind: 'means' },
        decoder: { type: 'rerank', sampler: 'exact', prior_weight: 0 },
      } else {
        inference: {
          type: 'constrained',
          encoding: encoding,
          unique: d.unique,
          constituent: 'exact',
        },
      }
    ),
  };

swappable(lib {
  // Lafferty et al. 2001: a linear chain, exact in training and prediction. Its probabilities are
  // those of each tag, its tags the sequence with the highest score, among those that the encoding of
  // the files allows.
  crf(d):
    local tuned = lib.of_method(d, 'crf');
    exact(
      tuned,
      tuned.encoding,
      if tuned.encoding == null then 'linear-chain'
      else { type: 'linear-chain', encoding: tuned.encoding },
    ),

  // Sarawagi & Cohen 2004: the same over segments with their lengths, for spans in BIO. It has the
  // hyper-parameters of `crf` where it was not tuned itself.
  crf_semi_markov(d):
    local tuned = lib.of_method(lib.of_method(d, 'crf'), 'crf_semi_markov');
    exact(tuned, 'BIO', { type: 'semi-markov', max_length: tuned.max_segment_length }),
} + {
  ['inference_network_' + term](d): lib.inference_network(d {
    structured_scores: ['linear-chain', terms[term]],
    tuned: { inference_network: std.get(lib.complete(d).tuned, 'inference_network_' + term, {}) },
  })
  for term in std.objectFields(terms)
}, search_spaces)
