// The data sets of sequences of tags, and the hyper-parameters for each.
local tuned = std.parseJson(importstr 'tuned.json');

local complete = (import 'tagging.libsonnet').complete;
local transformers = import 'transformers.libsonnet';

// Text chunking (Tjong Kim Sang & Buchholz 2000): words, characters and parts of speech.
local conll2000 = {
  reader: { type: 'tagging-conll', pos_column: 1, encoding: 'BIO' },
  indexers+: { pos: { type: 'single_id', namespace: 'pos', feature_name: 'pos_' } },
  embedders+: { pos: { type: 'embedding', embedding_dim: 30, vocab_namespace: 'pos' } },
  embedding_dim: super.embedding_dim + 30,
  train: 'data://conll2000/train[:90%]',
  validation: 'data://conll2000/train[90%:]',
  test: 'data://conll2000/test',
  metrics: [
    { type: metric, encoding: 'BIO' }
    for metric in ['span-f1', 'span-precision', 'span-recall']
  ] + [{ type: 'tag-accuracy', by_tag: true }],
  validation_metric: '+span_f1',
  max_segment_length: 15,  // of the longest chunk of the training data
  num_epochs: 20,
  patience: 4,
};

local data_sets = {
  conll2000: conll2000,

  // The words encoded once by a transformer, which is not trained.
  conll2000_minilm: conll2000 {
    transformer: transformers.minilm,
    frozen: true,
    layers: [2, 4, 6],
    embedding_dim: 3 * 384,
    input_dropout: 0.2,
    warmup_steps: 200,
    num_epochs: 10,
  },

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
    metrics: ['role-f1', 'role-precision', 'role-recall', 'repeated-roles', 'tag-accuracy'],
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
