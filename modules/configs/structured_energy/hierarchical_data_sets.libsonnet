// The data sets with taxonomies, and the hyper-parameters for each.
local complete = (import 'hierarchical.libsonnet').complete;

local published(name) = {
  train: 'data://%s/train' % name,
  validation: 'data://%s/validation' % name,
  test: 'data://%s/test' % name,
};

// Few genes with many features of noise.
local genes = {
  batch_size: 16,
  hidden: [250, 250],
  dropout: 0.7,
  lr: 5e-4,
  num_epochs: 100,
  patience: 15,
};

local data_sets = {
  spo_fun: published('spo_fun') + genes,

  cellcycle_fun: published('cellcycle_fun') + genes,

  // The roots of the three parts of Gene Ontology do not count, as in the literature.
  cellcycle_go: published('cellcycle_go') + genes {
    excluded: ['GO0003674', 'GO0005575', 'GO0008150'],
  },

  // Without a part to validate: 10 % of train.
  imclef07a: {
    train: 'data://imclef07a/train[:90%]',
    validation: 'data://imclef07a/train[90%:]',
    test: 'data://imclef07a/test',
    batch_size: 64,
    hidden: [1000],
    num_epochs: 40,
  },
};

{ [name]: complete(data_sets[name]) for name in std.objectFields(data_sets) }
