// What the tables of data sets with pretrained transformers have in common.
{
  // A trained transformer has its own learning rate, which may decrease from each layer to the one below.
  groups(d, is_trained):
    local rate(layers) = { lr: d.transformer_lr * std.pow(d.layer_decay, layers) };
    if !is_trained then {} else {
      parameter_groups: (
        if d.layer_decay == 1 then [] else [
          [['\\.layer\\.%d\\.' % layer], rate(d.num_layers - 1 - layer)]
          for layer in std.range(0, d.num_layers - 1)
        ]
      ) + (
        if d.layer_decay == 1 then [[['transformer_model'], rate(0)]]
        else [[['transformer_model(?!.*\\.layer\\.\\d)'], rate(d.num_layers)]]
      ),
    },

  // The rates rise for some steps, and then fall to 0.
  warmup(d): {
    trainer+: {
      [if d.warmup_steps != null then 'learning_rate_scheduler']: {
        type: 'linear_with_warmup',
        warmup_steps: d.warmup_steps,
      },
    },
  },
}
