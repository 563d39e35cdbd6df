// The methods of the field, for any task: a function of what the task decides. That is `base(d)`
// (data, output space, metrics), `task_network(d)`, `score_network(d)` and `cost_augmented(d)`, each
// of the hyper-parameters d of a data set, and `defaults` for those that its table leaves out.
local table = import 'table.libsonnet';

function(task)
local defaults = (import 'defaults.libsonnet') + task.defaults;

local base(d) = table.paths(d) + {
  dataset_reader: d.reader,
  model+: {
    type: 'structured-energy',
    [if d.evaluations != {} then 'evaluations']: d.evaluations,
  },
  trainer+: {
    type: 'minimax',
    num_epochs: d.num_epochs,
    patience: d.patience,
    checkpointer: { keep_most_recent_by_count: 1 },
    [if d.callbacks != [] then 'callbacks']: d.callbacks,
  },
} + task.base(d);

local task_optimizer(d) = {
  trainer+: { optimizer: d.optimizer },
};

// Gradient-based inference in logits, from what is undecided everywhere.
local descent(d, steps) = {
  type: 'gradient-based-inference',
  num_steps: steps,
  optimizer: { type: 'entropic-mirror-descent', learning_rate: d.inference_rate },
  start: 'uniform',
  pick: 'last',
};

local margin(d) = {
  type: 'margin-based',
  margin_type: d.margin_type,
  oracle_cost_weight: d.oracle_cost_weight,
};

// The output of the task network, which minimises the losses, each times its weight, and a
// cross-entropy.
local inference_network(d, losses, weights) = {
  type: 'inference-network',
  loss: {
    type: 'combination',
    constituents: losses + [{ type: 'cross-entropy' }],
    weights: weights + [d.cross_entropy_weight],
  },
};

// Outputs of every oracle value, or `otherwise`.
local perturbed(d, otherwise) =
  if d.num_perturbed == 0 then otherwise
  else [{ type: 'perturbed-truth', num_samples: d.num_perturbed }];

// What a value network learns from: its adversary's outputs, the truth, and `more`.
local value_samples(d, more) = {
  type: 'appending-container',
  constituents: [
    descent(d, d.inference_steps) {
      adversarial: { type: 'negative', constituent: 'value-regression' },
      log_key: 'adversary',
    },
    'ground-truth',
  ] + more,
};

// A score network alone, which predicts by gradient-based inference.
local without_task_network(d) = base(d) + task.score_network(d) {
  model+: {
    inference: descent(d, d.inference_steps),
  },
  trainer+: { optimizer: d.score_optimizer },
};

local with_both(d) = base(d) + task.task_network(d) + task.score_network(d) + task_optimizer(d) {
  trainer+: {
    networks: {
      score_network: { optimizer: d.score_optimizer },
    },
  },
};

// SEAL with draws of the task network, judged by `loss` of the score network.
local with_draws(d, loss, draws) = with_both(d) {
  model+: {
    loss: loss,
    sampler: { type: 'network-draws', num_samples: d.num_draws } + draws,
    inference: inference_network(d, ['score'], [d.score_weight]),
  },
};

local methods = {
  // The task network alone.
  cross_entropy(d): base(d) + task.task_network(d) + task_optimizer(d) {
    model+: {
      sampler: { type: 'inference-network', loss: 'cross-entropy' },
    },
  },

  // Belanger & McCallum 2016: the structured hinge against cost-augmented gradient-based inference.
  spen(d): without_task_network(d) {
    model+: {
      loss: margin(d),
      sampler: descent(d, d.inference_steps) {
        adversarial: { type: 'inference', oracle_cost_weight: d.oracle_cost_weight },
      },
    },
  },

  // Belanger et al. 2017: the cross-entropy of what the unrolled inference ends with.
  spen_end_to_end(d): without_task_network(d) {
    model+: {
      loss: 'cross-entropy',
      sampler: descent(d, d.unrolled_steps) { unroll: true },
      inference: descent(d, d.unrolled_steps),
    },
  },

  // Gygli et al. 2017: the score network learns the oracle value of outputs of every kind.
  dvn(d): without_task_network(d) {
    model+: {
      loss: 'value-regression',
      sampler: value_samples(
        d,
        perturbed(d, ['random']) + [descent(d, d.inference_steps) { log_key: 'prediction' }],
      ),
    },
  },

  // The task network alone, which also lowers the relaxed oracle cost: what `inference_network` is
  // without its score network.
  cross_entropy_oracle_cost(d): base(d) + task.task_network(d) + task_optimizer(d) {
    model+: {
      sampler: inference_network(d, ['oracle-cost'], [d.task_cost_weight]),
    },
  },

  // Tu & Gimpel 2018: an inference network against a margin-based score network, with two terms
  // that hold it: a cross-entropy and the relaxed oracle cost.
  inference_network(d): with_both(d) {
    model+: {
      loss: margin(d),
      sampler: inference_network(
        d,
        [{ type: 'inference', oracle_cost_weight: d.oracle_cost_weight }, { type: 'oracle-cost' }],
        [d.score_weight, d.task_cost_weight],
      ),
    },
  },

  // Tu et al. 2020: with a cost-augmented network of its own, on top of the inference network.
  inference_network_cost_augmented(d): self.inference_network(d) {
    model+: {
      sampler+: { cost_augmented_network: task.cost_augmented(d) },
    },
  },

  // Lee et al. 2022, static: a value network is trained first, and then kept as it is.
  seal_static(d): with_both(d) {
    model+: {
      loss: 'value-regression',
      sampler: value_samples(d, ['random']),
      inference: inference_network(d, ['value'], [d.value_weight]),
    },
    trainer+: {
      num_epochs: d.static_epochs + d.num_epochs,
      networks+: {
        score_network+: { stop_epoch: d.static_epochs },
        task_network: { start_epoch: d.static_epochs },
      },
    },
  },

  // Lee et al. 2022, dynamic: both networks learn at once.
  seal_dynamic_margin(d): with_both(d) {
    model+: {
      loss: margin(d),
      sampler: inference_network(d, ['score'], [d.score_weight]),
    },
  },

  seal_dynamic_dvn(d): with_both(d) {
    model+: {
      loss: 'value-regression',
      sampler: {
        type: 'appending-container',
        constituents: ['inference-network', 'ground-truth'] + perturbed(d, []),
      },
      inference: inference_network(d, ['value'], [d.value_weight]),
    },
  },

  seal_dynamic_nce(d): with_draws(d, 'nce-ranking', { kind: 'discrete' }),

  seal_dynamic_nce_relaxed(d): with_draws(d, 'nce-ranking', {
    kind: 'gumbel',
    temperature: d.temperature,
  }),

  // The truth ranked above the draws, whatever their probability.
  seal_ranking(d): with_draws(
    d,
    { type: 'nce-ranking', correct_for_proposal: false },
    { kind: 'discrete' },
  ),

  // Hinton 2002: the truth against where a short chain from it leads.
  contrastive_divergence(d): without_task_network(d) {
    model+: {
      loss: { type: 'contrastive-divergence', score_penalty: d.score_penalty },
      sampler: { type: 'gibbs-with-gradients', num_steps: d.chain_steps, truth_rate: 1.0 },
    },
  },
};

local complete(d) = table.complete(defaults, d);

// The table with the hyper-parameters that a method was tuned to on the data set.
local of_method(d, name) =
  complete(d) + table.checked(defaults, std.get(complete(d).tuned, name, {}));

{
  [name]: function(d) methods[name](of_method(d, name))
  for name in std.objectFields(methods)
} + {
  defaults:: defaults,
  complete:: complete,

  // For what one task has alone.
  of_method:: of_method,
  without_task_network:: without_task_network,
  descent:: descent,
}
