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

// A cross-entropy, with weights of the labels where the table has them.
local cross_entropy(d) =
  if d.pos_weight == null then 'cross-entropy'
  else {
    type: 'cross-entropy',
    pos_weight: d.pos_weight,
    [if d.pos_weight == 'balanced' then 'pos_weight_limit']: d.pos_weight_limit,
  };

// The output of the task network, which minimises the losses, each times its weight, and a
// cross-entropy.
local inference_network(d, losses, weights) = {
  type: 'inference-network',
  loss: {
    type: 'combination',
    constituents: losses + [cross_entropy(d)],
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

// A score network with exact inference, which is what the task network is in other methods.
local exact(d) =
  without_task_network(d {
    score_hidden: d.hidden,
    score_dropout: d.dropout,
    score_optimizer: d.optimizer,
  }) {
    model+: { loss: 'exact-likelihood', sampler: 'ground-truth', inference: 'exact' },
  };

local with_both(d) = base(d) + task.task_network(d) + task.score_network(d) + task_optimizer(d) {
  trainer+: {
    networks: {
      score_network: { optimizer: d.score_optimizer },
    },
  },
};

// Lee et al. 2022, static, in three phases: the task network minimises the cross-entropy, the score
// network learns from the frozen task network, and the task network from the frozen score network.
// The score counts in the last phase only.
local in_three_phases(d, loss, sampler) =
  local start = d.task_epochs, stop = d.task_epochs + d.static_epochs;
  local weight = {
    type: 'stepwise',
    boundaries: [start],
    values: [0.0, d.static_score_weight],
    unit: 'epochs',
  };
  with_both(d) {
    model+: {
      loss: loss,
      sampler: sampler,
      inference: inference_network(d, ['score'], [weight]),
    },
    trainer+: {
      num_epochs: stop + d.num_epochs,
      networks+: {
        score_network+: { epochs: [[start, stop]] },
        task_network: { epochs: [[0, start], [stop, null]] },
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
      sampler: { type: 'inference-network', loss: cross_entropy(d) },
    },
  },

  // The same, where the positives of rare labels weigh more.
  cross_entropy_weighted(d): self.cross_entropy(
    d { pos_weight: if d.pos_weight == null then 'balanced' else d.pos_weight }
  ),

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
      loss: cross_entropy(d),
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

  // The same with a smooth F1, whose minimum is a logarithm of exponentials.
  cross_entropy_lsef1(d): self.cross_entropy_oracle_cost(d) {
    model+: {
      oracle_value: { type: 'per-instance-lsef1', temperature: d.smoothing },
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

  // The same with a margin, and with draws of the task network.
  seal_static_margin(d): in_three_phases(d, margin(d), 'inference-network'),

  seal_static_nce(d): in_three_phases(d, 'nce-ranking', {
    type: 'network-draws',
    num_samples: d.num_draws,
    kind: 'discrete',
  }),

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

  // −σ(s) in place of −log σ(s).
  seal_dynamic_dvn_value(d): self.seal_dynamic_dvn(d) {
    model+: {
      inference: inference_network(
        d, [{ type: 'value', objective: 'value' }], [d.value_weight]
      ),
    },
  },

  // The value of draws of the task network, and of the truth.
  seal_dynamic_dvn_draws(d): self.seal_dynamic_dvn(d) {
    model+: {
      sampler+: {
        constituents: [
          { type: 'network-draws', num_samples: d.num_draws, kind: 'discrete' },
          'ground-truth',
        ] + perturbed(d, []),
      },
    },
  },

  // With a cost-augmented network, which looks for outputs whose value is overestimated.
  seal_dynamic_dvn_cost_augmented(d): with_both(d) {
    model+: {
      loss: { type: 'value-regression', include_truth: true },
      sampler: inference_network(
        d,
        [{ type: 'value', oracle_cost_weight: d.oracle_cost_weight }],
        [d.value_weight],
      ) {
        cost_augmented_network: task.cost_augmented(d),
      },
    },
  },

  seal_dynamic_nce(d): with_draws(d, 'nce-ranking', { kind: 'discrete' }),

  seal_dynamic_nce_relaxed(d): with_draws(d, 'nce-ranking', {
    kind: 'gumbel',
    temperature: d.temperature,
  }),

  // The score counts only where the truth does not score higher by the margin.
  seal_dynamic_nce_critical(d): self.seal_dynamic_nce(d) {
    model+: {
      inference: inference_network(
        d,
        [
          {
            type: 'critical-examples',
            constituent: 'score',
            oracle_cost_weight: d.oracle_cost_weight,
            margin: d.critical_margin,
          },
        ],
        [d.score_weight],
      ),
    },
  },

  // The score network of `seal_dynamic_nce` on draws of a task network that minimises the
  // cross-entropy, which then predicts by itself.
  nce_gradient(d): with_both(d) {
    model+: {
      loss: 'nce-ranking',
      sampler: {
        type: 'network-draws',
        num_samples: d.num_draws,
        kind: 'discrete',
        loss: cross_entropy(d),
      },
      inference: descent(d, d.inference_steps),
    },
  },

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
  exact:: exact,
  descent:: descent,
}
