// The multi-label data sets, and the hyper-parameters for each. What a method was tuned to on a
// data set stands in tuned.json (data set, method, hyper-parameter), which experiments/tune.py writes.
local tuned = std.parseJson(importstr 'tuned.json');

local complete = (import 'multi_label.libsonnet').complete;

// The documented figures are of features as they are.
local as_they_are = { standardize: false };

// A data set that is published with a training and a test part: 10 % of train to validate.
local published(name) = as_they_are {
  train: 'data://%s/train[:90%%]' % name,
  validation: 'data://%s/train[90%%:]' % name,
  test: 'data://%s/test' % name,
};

local data_sets = {
  bibtex: published('bibtex') {
    batch_size: 128,
    lr: 2e-3,
    hidden: [800],
    dropout: 0.8,
    score_hidden: [400],
    patience: 15,
  },

  delicious: published('delicious') {
    batch_size: 128,
    hidden: [800],
    dropout: 0.5,
    score_hidden: [400],
    patterns: 64,
    lr: 5e-3,
    num_epochs: 15,
    patience: 5,
    score_weight: 0.3,
  },

  scene: published('scene') {
    batch_size: 64,
    hidden: [256],
    num_epochs: 100,
    patience: 20,
  },

  yeast: published('yeast') {
    batch_size: 64,
    hidden: [256],
    num_epochs: 100,
    patience: 20,
  },

  genbase: published('genbase') {
    hidden: [256],
    num_epochs: 100,
    patience: 20,
  },

  tmc2007_500: published('tmc2007_500') {
    batch_size: 128,
    hidden: [400],
    dropout: 0.5,
    score_hidden: [200],
    num_epochs: 30,
    patience: 6,
  },

  // Without a split of its own: 20 % to test, and 10 % of the rest to validate.
  cal500: as_they_are {
    train: 'data://cal500/all[:72%]',
    validation: 'data://cal500/all[72%:80%]',
    test: 'data://cal500/all[80%:]',
    hidden: [256],
    num_epochs: 100,
    patience: 20,
  },

  digits: as_they_are {
    reader: { type: 'digits-completion' },
    train: 'embedded://digits/train',
    validation: 'embedded://digits/validation',
    test: 'embedded://digits/test',
    batch_size: 64,
    lr: 2e-3,
    dropout: 0.2,
    score_dropout: 0.2,
    patterns: 64,
    num_epochs: 200,
    patience: 30,
    score_weight: 0.3,
    image: [8, 8],
  },
};

{
  [name]: complete(data_sets[name]) { tuned: std.get(tuned, name, {}) }
  for name in std.objectFields(data_sets)
}
