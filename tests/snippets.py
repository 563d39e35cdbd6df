"""Small networks and models of tests, as Jsonnet.

A test that needs other keys lays them over: `train_snippet(CROSS_ENTROPY, folder, {"model": …})`,
or in Jsonnet `CROSS_ENTROPY + "+ { trainer+: { num_epochs: 3 } }"`.
"""


def feedforward(hidden_dims=6, dropout=0.0):
    """Return the layers of a network."""
    return (
        f"{{num_layers: 1, hidden_dims: {hidden_dims}, activations: 'softplus', "
        f"dropout: {dropout}}}"
    )


def network(hidden_dims=6, dropout=0.0):
    """Return a task network or a score network on features."""
    return f"{{encoder: {{type: 'feedforward', feedforward: {feedforward(hidden_dims, dropout)}}}}}"


# A task network.
CROSS_ENTROPY = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {network()},
    sampler: {{type: 'inference-network', loss: 'cross-entropy'}},
    metrics: ['example-f1'],
  }},
  trainer: {{type: 'minimax', num_epochs: 2, optimizer: {{type: 'adamw', lr: 0.01}}}},
}}"""

# A task network and a score network that learn from each other.
MARGIN_BASED = f"""{CROSS_ENTROPY} + {{
  model+: {{
    oracle_value: 'per-instance-f1',
    score_network: {network()},
    loss: 'margin-based',
    sampler: {{type: 'inference-network', loss: 'inference'}},
    decoder: 'threshold',
  }},
}}"""
