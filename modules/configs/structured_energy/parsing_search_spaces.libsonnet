// As search_spaces.libsonnet, for the methods of dependency trees.
local log(low, high) = { log: [low, high] };

local task = {
  lr: log(5e-4, 5e-3),
  dropout: { uniform: [0.1, 0.6] },
  weight_decay: log(1e-6, 1e-1),
};
local score = { score_lr: log(1e-4, 5e-3), score_dropout: { uniform: [0.0, 0.5] } };
local margin = { oracle_cost_weight: log(0.3, 30) };
local both = task + score + { score_weight: log(0.01, 3) };
local inference_network = both + margin + { task_cost_weight: log(0.1, 30) };
local descent = { weight_decay: task.weight_decay, inference_rate: log(0.3, 10) };

{
  crf: task,
  crf_projective: task,
  cross_entropy: task,
  dvn: score + descent,
  inference_network: inference_network,
  inference_network_second_order: inference_network,
  inference_network_self_attention: inference_network,
  seal_dynamic_margin: both + margin,
  seal_dynamic_nce: both,
  spen: score + margin + descent,
}
