// The data sets of dependency trees, and the hyper-parameters for each.
local complete = (import 'parsing.libsonnet').complete;

local data_sets = {
  ud_english_ewt: {
    train: 'data://ud_english_ewt/train',
    validation: 'data://ud_english_ewt/validation',
    test: 'data://ud_english_ewt/test',
  },
};

{ [name]: complete(data_sets[name]) for name in std.objectFields(data_sets) }
