// What the methods take, of any task, where the table of a data set says nothing else.
{
  cross_entropy_weight: 1.0,

  // Of the score network.
  score_dropout: 0.0,
  score_lr: 1e-3,
  margin_type: 'margin-rescaled',
  oracle_cost_weight: 1.0,
  static_epochs: 10,  // for which it is trained before it is kept as it is
  num_perturbed: 0,  // perturbed truths that a value network learns from

  // Of the task network's objective.
  score_weight: 1.0,
  value_weight: 3.0,  // of a value network's −log v
  task_cost_weight: 50.0,  // of the relaxed oracle cost
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
