"""Small configs of a library for tests of sweeps."""

from structured_energy.testing import data_config, evaluate_jsonnet, merged

FEEDFORWARD = "{num_layers: 1, hidden_dims: 4, activations: 'softplus'}"
PLAIN = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    sampler: {{type: 'inference-network', loss: 'cross-entropy'}},
    metrics: ['example-f1'],
  }},
  trainer: {{
    type: 'minimax', num_epochs: 2, optimizer: {{type: 'adamw', lr: 0.01}},
    validation_metric: '+example_f1',
  }},
}}"""
LIBRARY = """
local swappable = import 'structured_energy/swappable.libsonnet';
local tuned(d, name) = d + std.get(d.tuned, name, {});
local untuned = {
  slow(d): { trainer: { optimizer: { lr: d.lr }, num_epochs: 2 }, model: { a: 1, own: 'slow' } },
  fast(d): { trainer: { optimizer: { lr: 10 * d.lr }, num_epochs: 2 }, model: { a: 1, b: d.b } },
};
local methods = { complete(d):: d } + {
  [n](d): untuned[n](tuned(d, n)) for n in std.objectFields(untuned)
};
swappable(methods, { slow: { lr: { log: [0.1, 1] } }, fast: { b: { choices: [1, [2]] } } })
"""


def plain_config(folder):
    """A config that trains in a second on random data."""
    config = merged(data_config(folder / "data"), evaluate_jsonnet(PLAIN))
    return {**config, "test_data_path": config["validation_data_path"], "evaluate_on_test": True}
