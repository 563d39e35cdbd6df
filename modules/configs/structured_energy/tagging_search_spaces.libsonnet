// As search_spaces.libsonnet, for the methods of sequences of tags.
local log(low, high) = { log: [low, high] };

local task = {
  lr: log(5e-4, 5e-3),
  dropout: { uniform: [0.2, 0.7] },
  weight_decay: log(1e-5, 1e-1),
};
local score = { score_lr: log(1e-4, 5e-3), score_dropout: { uniform: [0.0, 0.5] } };
local margin = { oracle_cost_weight: log(0.3, 30) };
local score_weight = { score_weight: log(0.01, 3) };
local both = task + score + score_weight;
local inference_network = both + margin + { task_cost_weight: log(0.1, 30) };

{
  cross_entropy: task,
  crf: task,
  crf_semi_markov: task,
  inference_network: inference_network,
  inference_network_cost_augmented: inference_network,
  inference_network_convolutional: inference_network,
  inference_network_high_order: inference_network,
  inference_network_label_language_model: inference_network,
  inference_network_self_attention: inference_network,
  inference_network_skip_chain: inference_network,
  seal_dynamic_margin: both + margin,
  seal_dynamic_nce: both,
  spen: score + margin + { weight_decay: task.weight_decay, inference_rate: log(0.3, 10) },
}
