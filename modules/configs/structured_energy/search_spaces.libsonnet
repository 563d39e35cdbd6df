// Where `allennlp tune` looks for the hyper-parameters of each method: numbers between two limits
// (`uniform`, or `log`: evenly over their logarithm), or one of `choices`.
local log(low, high) = { log: [low, high] };

local task = {
  lr: log(5e-4, 5e-3),
  dropout: { uniform: [0.2, 0.8] },
  weight_decay: log(1e-5, 1e-1),
};
local score = { score_lr: log(1e-4, 5e-3), patterns: { choices: [16, 64] } };
local descent = { inference_rate: log(0.3, 10) };
local both = task + score;
local margin = { oracle_cost_weight: log(0.3, 30) };
local score_weight = { score_weight: log(0.03, 10) };
local value_weight = { value_weight: log(0.3, 30) };
local task_cost_weight = { task_cost_weight: log(1, 100) };
local alone = score + descent + {
  score_dropout: { uniform: [0.0, 0.8] },
  weight_decay: task.weight_decay,
};

{
  classifier_chain: task + { score_lr: log(1e-3, 1e-2), score_dropout: { uniform: [0.2, 0.8] } },
  cross_entropy: task,
  cross_fitted: task + {
    energy_lr: log(5e-3, 5e-2),
    energy_weight_decay: log(1e-2, 1),
  },
  cross_entropy_oracle_cost: task + task_cost_weight,
  cross_entropy_lsef1: task + task_cost_weight + { smoothing: log(0.01, 1) },
  cross_entropy_weighted: task + { pos_weight_limit: log(1, 30) },
  spen: alone + margin,
  spen_end_to_end: alone,
  dvn: alone,
  inference_network: both + margin + score_weight + task_cost_weight,
  inference_network_cost_augmented: self.inference_network,
  seal_static: both + descent + value_weight,
  seal_static_margin: self.seal_static_nce + margin,
  seal_static_nce: both + {
    static_score_weight: log(0.01, 3),
    static_epochs: { choices: [10, 30] },
  },
  seal_dynamic_margin: both + margin + score_weight,
  seal_dynamic_dvn: both + value_weight,
  seal_dynamic_dvn_cost_augmented: both + value_weight + margin,
  seal_dynamic_dvn_draws: both + value_weight,
  seal_dynamic_dvn_value: both + value_weight,
  nce_gradient: both + descent,
  seal_dynamic_nce: both + score_weight,
  seal_dynamic_nce_critical: both + score_weight + margin + { critical_margin: log(0.01, 1) },
  seal_dynamic_nce_relaxed: both + score_weight + { temperature: log(0.3, 3) },
  seal_ranking: both + score_weight,
  contrastive_divergence: alone + { score_penalty: log(1e-4, 1e-1) },
}
