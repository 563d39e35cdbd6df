// Sets of labels that are closed under ancestors in a taxonomy. A config is one call: a method of the
// table of a data set. The published data sets stand in hierarchical_data_sets.libsonnet.
local methods = import 'methods.libsonnet';
local search_spaces = import 'hierarchical_search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';
local task = import 'multi_label_task.libsonnet';

local reader(d) = if std.isString(d.reader) then { type: d.reader } else d.reader;

local lib = methods(task {
  defaults+: {
    local d = self,
    reader: { type: 'arff', missing_value: 'mean' },
    taxonomy: null,  // a file for the reader, where the data have none
    coherence: 'conditional',  // or 'max'
    excluded: [],  // terms that do not count in AU(PRC)
    metrics: [
      'example-f1',
      'hierarchical-f1',
      'macro-f1',
      'level-f1',
      'violations',
      { type: 'au-prc', [if d.excluded != [] then 'excluded']: d.excluded },
    ],
  },

  base(d): super.base(d) {
    [if d.taxonomy != null then 'dataset_reader']: reader(d) { taxonomy: d.taxonomy },
    model+: {
      output_space: {
        type: 'hierarchical',
        [if d.coherence != 'conditional' then 'coherence']: d.coherence,
      },
    },
  },
});

swappable(lib {
  // Giunchiglia & Lukasiewicz 2020: coherent by the maximum over descendants, with the loss for it.
  cross_entropy_max(d): lib.cross_entropy(
    lib.of_method(d, 'cross_entropy_max') { tuned: {}, coherence: 'max' }
  ),

  // A conditional random field on the edges of a tree, exact in training and prediction.
  crf(d):
    lib.exact(lib.of_method(d, 'crf') { tuned: {} }) {
      model+: {
        score_network+: { structured_scores: ['taxonomy'] },
        inference: { type: 'exact', kind: 'means' },
      },
    },
}, search_spaces)
