// What networks of several tasks are made of.
{
  feedforward(hidden, dropout): {
    num_layers: std.length(hidden),
    hidden_dims: hidden,
    activations: 'softplus',
    dropout: dropout,
  },
}
