// Parts of the networks of several tasks.
{
  // The encoder of feature vectors.
  features(hidden, dropout): { type: 'feedforward', feedforward: $.feedforward(hidden, dropout) },

  feedforward(hidden, dropout): {
    num_layers: std.length(hidden),
    hidden_dims: hidden,
    activations: 'softplus',
    dropout: dropout,
  },
}
