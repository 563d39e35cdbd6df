// What the multi-label configs are made of. A config is one line: a method, called with the
// hyper-parameters of a data set, which stand in one table (data_sets.libsonnet).
local feedforward(hidden, dropout) = {
  num_layers: std.length(hidden),
  hidden_dims: hidden,
  activations: 'softplus',
  dropout: dropout,
};

// The settings of one network for the trainer.
local optimizer(lr, weight_decay) = { type: 'adamw', lr: lr, weight_decay: weight_decay };

local base(d) = {
  dataset_reader: d.reader,
  train_data_path: d.train,
  validation_data_path: d.validation,
  test_data_path: d.test,
  evaluate_on_test: true,
  data_loader: { type: 'tensor', batch_size: d.batch_size, shuffle: true },
  validation_data_loader: { type: 'tensor', batch_size: 512 },

  model: {
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    task_network: {
      type: 'multi-label',
      feature_network: feedforward(d.hidden, d.dropout),
    },
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

  trainer: {
    type: 'minimax',
    num_epochs: d.num_epochs,
    patience: d.patience,
    validation_metric: '+example_f1',
    optimizer: optimizer(d.lr, d.weight_decay),
    checkpointer: { keep_most_recent_by_count: 1 },
  },
};

local with_score_network(d) = base(d) {
  model+: {
    score_network: {
      type: 'multi-label',
      feature_network: feedforward(d.hidden, d.score_dropout),
      structured_scores: [
        { type: 'feedforward', feedforward: feedforward([d.patterns], 0.0) },
      ],
    },
  },
  trainer+: {
    networks: {
      score_network: {
        optimizer: optimizer(d.score_lr, d.weight_decay),
      },
    },
  },
};

{
  // The task network alone.
  cross_entropy(d): base(d) {
    model+: {
      sampler: { type: 'inference-network', loss: 'cross-entropy' },
    },
  },

  // Tu & Gimpel 2018: an inference network against a margin-based score network, with the
  // cross-entropy that stabilises it.
  inference_network(d): with_score_network(d) {
    model+: {
      loss: {
        type: 'margin-based',
        margin_type: d.margin_type,
        oracle_cost_weight: d.oracle_cost_weight,
      },
      sampler: {
        type: 'inference-network',
        loss: {
          type: 'combination',
          constituents: [
            { type: 'inference', oracle_cost_weight: d.oracle_cost_weight },
            { type: 'cross-entropy' },
            { type: 'oracle-cost' },
          ],
          weights: [d.score_weight, d.cross_entropy_weight, d.task_cost_weight],
        },
        [if d.cost_augmented == null then null else 'cost_augmented_network']: {
          feedforward: feedforward(d.cost_augmented, 0.0),
        },
      },
    },
  },
}
