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

  // A probabilistic classifier chain (Dembczynski et al. 2010), or its convolutional form for images,
  // which reranks the most probable outputs of a task network, for subset accuracy.
  classifier_chain(d):
    local own = lib.of_method(d, 'classifier_chain');
    lib.seal_ranking(own { tuned: {} }) {
      model+: {
        score_network+: {
          local_term: false,
          structured_scores: [
            if own.image == null then 'classifier-chain'
            else {
              type: 'autoregressive-pixels',
              height: own.image[0],
              width: own.image[1],
              dropout: 0.2,
            },
          ],
        },
        loss: 'score',
        sampler: 'ground-truth',
        inference: { type: 'inference-network', loss: 'cross-entropy' },
        decoder: {
          type: 'rerank',
          sampler: { type: 'most-probable', num_samples: own.reranked },
          metric: 'subset-accuracy',
        },
      },
      trainer+: {
        validation_metric: '+subset_accuracy',
        patience: null,
        networks: {
          score_network: {
            optimizer: own.score_optimizer,
            learning_rate_scheduler: { type: 'cosine', t_initial: own.num_epochs },
          },
        },
      },
    },
}, search_spaces)
