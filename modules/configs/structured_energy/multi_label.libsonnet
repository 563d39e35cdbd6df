// Multi-label classification. A config is one line: a method, called with the hyper-parameters of a
// data set, which stand in one table (data_sets.libsonnet).
local methods = import 'methods.libsonnet';
local networks = import 'networks.libsonnet';
local search_spaces = import 'search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';

swappable(methods({
  base(d): {
    data_loader: { type: 'tensor', batch_size: d.batch_size, shuffle: true },
    validation_data_loader: { type: 'tensor', batch_size: 512 },
    model+: {
      output_space: 'binary',
      oracle_value: 'per-instance-f1',
      threshold: 'tuned',
      metrics: [
        'example-f1',
        'micro-f1',
        'macro-f1',
        'subset-accuracy',
        'hamming-loss',
        'map-example',
        'map-label',
      ],
    },
    trainer+: { validation_metric: '+example_f1' },
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
}), search_spaces)
