// Sets of labels of feature vectors, as `methods.libsonnet` takes a task.
local networks = import 'networks.libsonnet';

{
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
}
