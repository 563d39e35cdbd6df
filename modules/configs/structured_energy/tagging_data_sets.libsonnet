// The data sets of sequences of tags, and the hyper-parameters for each.
local tuned = std.parseJson(importstr 'tuned.json');

local complete = (import 'tagging.libsonnet').complete;

local data_sets = {
  twpos: {
    reader: { type: 'tagging-conll', separator: 'tab' },
    train: 'data://twpos/train',
    validation: 'data://twpos/validation',
    test: 'data://twpos/test',
  },

  // The universal part of speech.
  ud_english_ewt: {
    reader: {
      type: 'tagging-conll',
      conllu: true,
      token_column: 1,
      tag_column: 3,
    },
    train: 'data://ud_english_ewt/train',
    validation: 'data://ud_english_ewt/validation',
    test: 'data://ud_english_ewt/test',
    num_epochs: 6,
    patience: 2,
  },

  // Semantic roles. The training part is not published with it: the validation part is cut in two.
  up_english_ewt: {
    indexers+: { predicate: { type: 'single_id', namespace: null, feature_name: 'type_id' } },
    embedders+: { predicate: { type: 'embedding', num_embeddings: 2, embedding_dim: 10 } },
    embedding_dim: super.embedding_dim + 10,
    reader: 'srl-conllu',
    train: 'data://up_english_ewt/validation[:90%]',
    validation: 'data://up_english_ewt/validation[90%:]',
    test: 'data://up_english_ewt/test',
    metrics: ['role-f1', 'tag-accuracy'],
    validation_metric: '+role_f1',
    num_epochs: 15,
    patience: 4,
  },
};

// A data set that was not searched itself has what was found on twpos, the quickest.
{
  [name]: complete(data_sets[name]) { tuned: std.get(tuned, name, std.get(tuned, 'twpos', {})) }
  for name in std.objectFields(data_sets)
}
