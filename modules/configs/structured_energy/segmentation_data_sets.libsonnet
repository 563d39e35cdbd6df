// The data sets of images, and the hyper-parameters for each.
local tuned = std.parseJson(importstr 'tuned.json');

local defaults = (import 'defaults.libsonnet') {
  reader: 'segmentation-npy',
  batch_size: 16,
  crop: [24, 24],
  windows_per_side: 3,
  encoder: 'u-net',
  hidden: [16, 32, 64],
  score_hidden: [16, 32, 64],
  image_and_mask: [16, 32, 32],
  encoding_and_mask: [32],
  num_perturbed: 4,
  dropout: 0.2,
  lr: 3e-3,
  weight_decay: 1e-3,
  batches_per_epoch: 50,  // five passes over the horses, whose validation takes longer than one
  num_epochs: 60,
  patience: null,  // the learning rate falls to 0 at the end
  picture_every: 10,  // epochs
  inference_rate: 500,  // what a pixel adds to a value, its gradient, is about 1 / (height · width)
  score_weight: 0.1,
  value_weight: 1.0,
  task_cost_weight: 1.0,
};

local data_sets = {
  weizmann_horses: defaults {
    train: 'data://weizmann_horses/train',
    validation: 'data://weizmann_horses/validation',
    test: 'data://weizmann_horses/test',
  },
};

{
  [name]: data_sets[name] { tuned: std.get(tuned, name, {}) }
  for name in std.objectFields(data_sets)
}
