// Multi-label classification. A config is one call: a method of the table of a data set, which has
// the paths of the data, their reader, and what differs from `defaults`. The published data sets
// stand in data_sets.libsonnet.
local methods = import 'methods.libsonnet';
local networks = import 'networks.libsonnet';
local search_spaces = import 'search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';

local lib = methods({
  defaults: {
    local d = self,
    reader: 'arff',
    standardize: true,  // features: mean 0 and variance 1 in the training data
    batch_size: 32,
    hidden: [400, 400],
    dropout: 0.5,
    lr: 1e-3,
    weight_decay: 1e-5,
    num_epochs: 60,
    patience: 10,
    score_hidden: d.hidden,
    patterns: 16,  // of labels, in the structured score
    oracle_value: 'per-instance-f1',
    decoder: 'relative-and-absolute',
    metrics: [
      'example-f1',
      'micro-f1',
      'macro-f1',
      'subset-accuracy',
      'hamming-loss',
      'map-example',
      'map-label',
    ],
    validation_metric: '+example_f1',

    // Of `cross_fitted`: the folds, each of which trains for num_epochs; the candidates, sets of at
    // most `largest` of so many labels; the training of the energy.
    num_folds: 5,
    candidates: 9,
    largest: 4,
    energy_epochs: 10,
    energy_lr: 0.02,
    energy_weight_decay: 0.2,

    // Of `classifier_chain`: the most probable outputs that the chain reranks, and [height, width]
    // where the features and then the labels are the pixels of an image, row by row.
    reranked: 32,
    image: null,
  },

  base(d): {
    data_loader: { type: 'tensor', batch_size: d.batch_size, shuffle: true },
    validation_data_loader: { type: 'tensor', batch_size: 512 },
    model+: {
      [if !d.standardize then 'standardize']: false,
      output_space: 'binary',
      oracle_value: d.oracle_value,
      decoder: d.decoder,
      metrics: d.metrics,
    },
    trainer+: { validation_metric: d.validation_metric },
  },

  task_network(d): {
    model+: { task_network: { encoder: networks.features(d.hidden, d.dropout) } },
  },

  score_network(d): {
    model+: {
      score_network: {
        encoder: networks.features(d.score_hidden, d.score_dropout),
        structured_scores: [
          { type: 'feedforward', feedforward: networks.feedforward([d.patterns], 0.0) },
        ],
      },
    },
  },

  cost_augmented(d): { feedforward: networks.feedforward(d.cost_augmented, 0.0) },
});

swappable(lib {
  // An energy of few weights on the logits of held-out data, which is normalised over the sets of the
  // most probable labels (Charniak & Johnson 2005), and predicts by the expected F1 under itself.
  cross_fitted(d):
    local own = lib.of_method(d, 'cross_fitted');
    local candidates = { type: 'likely-subsets', among: own.candidates, smallest: 1, largest: own.largest };
    lib.seal_ranking(own { tuned: {} }) {
      model+: {
        task_network+: { type: 'cross-fitted', num_folds: own.num_folds },
        score_network: {
          encoder: { type: 'task-network', output: 'logits' },
          local_term: false,
          structured_scores: [
            'scaled-logits',
            'pairwise',
            { type: 'cardinality', largest: own.largest + 2, num_highest: 2 },
          ],
        },
        loss: 'candidate-likelihood',
        sampler: candidates,
        inference: { type: 'inference-network', loss: 'cross-entropy' },
        decoder: {
          type: 'expected-f1-of-draws',
          sampler: candidates,
          score_weight: 1,
          prior_weight: 0,
          correct_for_proposal: false,
        },
      },
      trainer+: {
        num_epochs: own.num_folds * own.num_epochs + own.energy_epochs,
        patience: null,
        networks: {
          task_network: { stop_epoch: own.num_folds * own.num_epochs, optimizer: own.optimizer },
          score_network: {
            start_epoch: own.num_folds * own.num_epochs,
            optimizer: {
              type: 'fused-adamw',
              lr: own.energy_lr,
              weight_decay: own.energy_weight_decay,
            },
          },
        },
      },
    },

  // A probabilistic classifier chain (Dembczynski et al. 2010), or its convolutional form for images,
  // which reranks the most probable outputs of a task network, for subset accuracy.
  classifier_chain(d):
    local own = lib.of_method(d, 'classifier_chain');
    lib.seal_ranking(own { tuned: {} }) {
      model+: {
        score_network: {
          encoder: networks.features(own.score_hidden, own.score_dropout),
          local_term: false,
          structured_scores: [
            if own.image == null then 'classifier-chain'
            else { type: 'autoregressive-pixels', height: own.image[0], width: own.image[1] },
          ],
        },
        loss: 'score',
        sampler: 'ground-truth',
        inference: { type: 'inference-network', loss: 'cross-entropy' },
        decoder: {
          type: 'rerank',
          sampler: { type: 'most-probable', num_samples: own.reranked },
          metric: 'subset-accuracy',
        },
      },
      trainer+: {
        validation_metric: '+subset_accuracy',
        patience: null,
        networks: {
          score_network: {
            optimizer: own.score_optimizer,
            learning_rate_scheduler: { type: 'cosine', t_initial: own.num_epochs },
          },
        },
      },
    },
}, search_spaces)
