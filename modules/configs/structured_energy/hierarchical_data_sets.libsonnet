// The data sets with taxonomies, and the hyper-parameters for each.
local complete = (import 'hierarchical.libsonnet').complete;

local published(name) = {
  train: 'data://%s/train' % name,
  validation: 'data://%s/validation' % name,
  test: 'data://%s/test' % name,
};

local data_sets = {
  spo_fun: published('spo_fun') {
  },

  cellcycle_fun: published('cellcycle_fun') {
  },

  // The roots of the three parts of Gene Ontology do not count, as in the literature.
  cellcycle_go: published('cellcycle_go') {
    excluded: ['GO0003674', 'GO0005575', 'GO0008150'],
  },

  // Without a part to validate: 10 % of train.
  imclef07a: {
    train: 'data://imclef07a/train[:90%]',
    validation: 'data://imclef07a/train[90%:]',
    test: 'data://imclef07a/test',
  },
};

{ [name]: complete(data_sets[name]) for name in std.objectFields(data_sets) }
