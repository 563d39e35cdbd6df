// Sequences of tags. A config is one line: a method, called with the hyper-parameters of a data set,
// which stand in one table (tagging_data_sets.libsonnet).
local methods = import 'methods.libsonnet';
local networks = import 'networks.libsonnet';
local search_spaces = import 'tagging_search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';

local encoder(d, hidden, dropout) = {
  type: 'tokens',
  embedder: { token_embedders: d.embedders },
  encoder: {
    type: 'lstm',
    input_size: d.embedding_dim,
    hidden_size: hidden,
    bidirectional: true,
  },
  dropout: dropout,
};

// What an energy has beside the linear chain (Tu et al. 2020).
local terms = {
  skip_chain: { type: 'skip-chain', order: 3 },
  high_order: { type: 'high-order', order: 2, feedforward: networks.feedforward([50], 0.0) },
  convolutional: { type: 'convolutional', width: 5, num_filters: 50 },
  self_attention: { type: 'self-attention' },
  label_language_model: { type: 'label-language-model' },
};

local lib = methods({
  base(d): {
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

  cost_augmented(d): { feedforward: networks.feedforward(d.cost_augmented, 0.0) },
});

swappable(lib {
  // Lafferty et al. 2001: a linear chain, exact in training and prediction, on the encoder that the
  // task network has in other methods.
  crf(d):
    local tuned = d + std.get(d.tuned, 'crf', {});
    lib.without_task_network(tuned {
      score_hidden: tuned.hidden,
      score_dropout: tuned.dropout,
      score_lr: tuned.lr,
      structured_scores: ['linear-chain'],
    }) {
      model+: { loss: 'exact-likelihood', sampler: 'ground-truth', inference: 'exact' },
    },
} + {
  ['inference_network_' + term](d): lib.inference_network(d {
    structured_scores: ['linear-chain', terms[term]],
    tuned: { inference_network: std.get(d.tuned, 'inference_network_' + term, {}) },
  })
  for term in std.objectFields(terms)
}, search_spaces)
