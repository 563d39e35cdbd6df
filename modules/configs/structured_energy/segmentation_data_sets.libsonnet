// The data sets of images, and the hyper-parameters for each.
local tuned = std.parseJson(importstr 'tuned.json');

local complete = (import 'segmentation.libsonnet').complete;

local data_sets = {
  weizmann_horses: {
    train: 'data://weizmann_horses/train',
    validation: 'data://weizmann_horses/validation',
    test: 'data://weizmann_horses/test',
    batches_per_epoch: 50,  // five passes, for the validation takes longer than one
  },
};

{
  [name]: complete(data_sets[name]) { tuned: std.get(tuned, name, {}) }
  for name in std.objectFields(data_sets)
}
