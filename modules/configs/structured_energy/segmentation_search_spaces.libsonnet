// As search_spaces.libsonnet, for the methods of masks of images.
local log(low, high) = { log: [low, high] };

local task = {
  lr: log(5e-4, 5e-3),
  dropout: { uniform: [0.0, 0.5] },
  weight_decay: log(1e-4, 1e-1),
};
local score = { score_lr: log(1e-4, 5e-3), score_dropout: { uniform: [0.0, 0.5] } };
local score_weight = { score_weight: log(0.001, 1) };

{
  cross_entropy: task,
  dvn: score + { weight_decay: task.weight_decay, inference_rate: log(10, 3000) },
  inference_network: task + score + score_weight + {
    oracle_cost_weight: log(0.3, 30),
    task_cost_weight: log(0.1, 100),
  },
  seal_dynamic_dvn: task + score + { value_weight: log(0.1, 30) },
  seal_dynamic_nce: task + score + score_weight,
}
