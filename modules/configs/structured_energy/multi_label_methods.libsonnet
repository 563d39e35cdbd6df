// The methods for sets of labels, whatever the input: those of any task, and `cross_fitted`.
local methods = import 'methods.libsonnet';
local search_spaces = import 'search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';

function(task)
local lib = methods(task);

swappable(lib {
  // An energy of few weights on the logits of held-out data, which is normalised over the sets of the
  // most probable labels (Charniak & Johnson 2005), and predicts by the expected F1 under itself.
  cross_fitted(d):
    local own = lib.of_method(d, 'cross_fitted');
    local candidates = { type: 'likely-subsets', among: own.candidates, smallest: 1, largest: own.largest };
    lib.seal_ranking(own { tuned: {} }) {
      model+: {
        task_network+: { type: 'cross-fitted', num_folds: own.num_folds },
        score_network: {
          encoder: { type: 'task-network', output: 'logits' },
          local_term: false,
          structured_scores: [
            'scaled-logits',
            'pairwise',
            { type: 'cardinality', largest: own.largest + 2, num_highest: 2 },
          ],
        },
        loss: 'candidate-likelihood',
        sampler: candidates,
        inference: { type: 'inference-network', loss: 'cross-entropy' },
        decoder: {
          type: 'expected-f1-of-draws',
          sampler: candidates,
          score_weight: 1,
          prior_weight: 0,
          correct_for_proposal: false,
        },
      },
      trainer+: {
        num_epochs: own.num_folds * own.num_epochs + own.energy_epochs,
        patience: null,
        networks: {
          task_network: { stop_epoch: own.num_folds * own.num_epochs, optimizer: own.optimizer },
          score_network: {
            start_epoch: own.num_folds * own.num_epochs,
            optimizer: {
              type: 'fused-adamw',
              lr: own.energy_lr,
              weight_decay: own.energy_weight_decay,
            },
          },
        },
      },
    },
}, search_spaces)
