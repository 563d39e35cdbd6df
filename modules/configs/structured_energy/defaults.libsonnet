// What a method takes for the keys that the table of a data set leaves out, in any task. The library
// of a task adds its own and shows all of them as its field `defaults`.
{
  local d = self,

  // The data. Without `validation`, 10 % of the training data are to validate.
  train: error "Expected the key 'train', the path of the training data, in the table of a data set",
  validation: null,
  test: null,

  // What the training takes as it stands.
  optimizer: { type: 'fused-adamw', lr: d.lr, weight_decay: d.weight_decay },
  score_optimizer: { type: 'fused-adamw', lr: d.score_lr, weight_decay: d.weight_decay },
  callbacks: [],
  evaluations: {},  // at each validation, by name
  tuned: {},  // for a method by name, the keys that differ for it

  cross_entropy_weight: 1.0,
  pos_weight: null,  // of labels in the cross-entropy: a number, a list or 'balanced'
  pos_weight_limit: 20.0,  // of balanced weights

  // Of the score network.
  score_dropout: 0.0,
  score_lr: 1e-3,
  margin_type: 'margin-rescaled',
  oracle_cost_weight: 1.0,
  static_epochs: 10,  // for which it is trained before it is kept as it is
  task_epochs: std.ceil(d.num_epochs / 3),  // for which a task network is trained before that
  num_perturbed: 0,  // perturbed truths that a value network learns from

  // Of the task network's objective.
  score_weight: 1.0,
  static_score_weight: 0.1,  // of a score network that is kept as it is
  value_weight: 3.0,  // of a value network's −log v
  task_cost_weight: 50.0,  // of the relaxed oracle cost
  critical_margin: 0.1,  // the least margin by which the truth has to score higher
  smoothing: 0.1,  // of a smooth oracle value
  cost_augmented: [64],  // the hidden layers of a separate cost-augmented network

  // Of gradient-based inference, and of what samples by steps.
  inference_steps: 20,
  inference_rate: 1.0,
  unrolled_steps: 5,
  chain_steps: 10,
  num_draws: 16,
  temperature: 1.0,
  score_penalty: 0.01,
}
