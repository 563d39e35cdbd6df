// The multi-label data sets, and the hyper-parameters for each.
local defaults = {
  reader: 'arff',
  batch_size: 32,
  hidden: [400, 400],
  dropout: 0.5,
  score_dropout: 0.0,
  patterns: 16,
  lr: 1e-3,
  score_lr: 1e-3,
  weight_decay: 1e-5,
  num_epochs: 60,
  patience: 10,
  margin_type: 'margin-rescaled',
  oracle_cost_weight: 1.0,
  score_weight: 1.0,
  cross_entropy_weight: 1.0,
  task_cost_weight: 0.0,  // of the relaxed oracle cost, in the task network's objective
  cost_augmented: null,  // the hidden layers of a separate cost-augmented network
};

// A data set that is published with a training and a test part: 10 % of train to validate.
local published(name) = defaults {
  train: 'data://%s/train[:90%%]' % name,
  validation: 'data://%s/train[90%%:]' % name,
  test: 'data://%s/test' % name,
};

{
  bibtex: published('bibtex') {
    hidden: [800],
    dropout: 0.8,
    patience: 15,
    task_cost_weight: 50.0,
  },

  digits: defaults {
    reader: { type: 'digits-completion' },
    train: 'embedded://digits/train',
    validation: 'embedded://digits/validation',
    test: 'embedded://digits/test',
    dropout: 0.2,
    score_dropout: 0.2,
    patterns: 64,
    num_epochs: 200,
    patience: 30,
    score_weight: 0.3,
    task_cost_weight: 50.0,
  },
}
