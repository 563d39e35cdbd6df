// The data sets of texts with labels, and the hyper-parameters for each.
local complete = (import 'multi_label_text.libsonnet').complete;
local transformers = import 'transformers.libsonnet';

local data_sets = {
  // Comments with 27 emotions and neutral (Demszky et al. 2020), in its published parts.
  goemotions: {
    reader: {
      type: 'multi-label-text',
      columns: ['text', 'labels', 'id'],
      label_separator: ',',
      labels_file: 'data://goemotions/labels',
    },
    train: 'data://goemotions/train',
    validation: 'data://goemotions/dev',
    test: 'data://goemotions/test',
    transformer: transformers.minilm,
    layers: [2, 4, 6],
    store: 'file',
    batch_size: 64,
    input_dropout: 0.3,
    hidden: [800],
    score_hidden: [400],
    dropout: 0.5,
    lr: 3e-4,
    warmup_steps: 600,
    num_epochs: 10,
    patience: 4,
    validation_metric: '+macro_f1',
    decoder: 'per-label',
    tuned: { cross_fitted: { num_epochs: 8 } },  // of each of its folds
  },
};

{ [name]: complete(data_sets[name]) for name in std.objectFields(data_sets) }
