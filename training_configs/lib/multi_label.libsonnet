// What the multi-label configs are made of: data, networks, training; one table of
// hyper-parameters for each data set.
local feedforward(hidden, dropout, activation='softplus') = {
  num_layers: std.length(hidden),
  hidden_dims: hidden,
  activations: activation,
  dropout: dropout,
};

{
  // data://NAME/SPLIT comes from the registry of published data sets.
  data(train, validation, test, batch_size, reader='arff'):: {
    dataset_reader: { type: reader },
    train_data_path: train,
    validation_data_path: validation,
    test_data_path: test,
    evaluate_on_test: true,
    data_loader: { type: 'tensor', batch_size: batch_size, shuffle: true },
    validation_data_loader: { type: 'tensor', batch_size: 512 },
  },

  task_network(hidden, dropout):: {
    type: 'multi-label',
    feature_network: feedforward(hidden, dropout),
  },

  score_network(hidden, dropout, structured):: {
    type: 'multi-label',
    feature_network: feedforward(hidden, dropout),
    structured_scores: [{ type: 'feedforward', feedforward: feedforward([structured], 0.0) }],
  },

  model:: {
    type: 'structured-energy',
    output_space: 'binary',
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

  adamw(lr, weight_decay=1e-5):: { type: 'huggingface_adamw', lr: lr, weight_decay: weight_decay },

  trainer(num_epochs, patience, optimizer):: {
    type: 'minimax',
    num_epochs: num_epochs,
    patience: patience,
    validation_metric: '+example_f1',
    optimizer: optimizer,
    checkpointer: { keep_most_recent_by_count: 1 },
  },

  // Methods: data, networks and optimiser in, a whole config out.
  cross_entropy(d):: $.data(d.train, d.validation, d.test, d.batch_size, d.reader) {
    model: $.model {
      task_network: $.task_network(d.hidden, d.dropout),
      sampler: { type: 'inference-network', loss: 'cross-entropy' },
    },
    trainer: $.trainer(d.num_epochs, d.patience, d.task_optimizer),
  },
}
