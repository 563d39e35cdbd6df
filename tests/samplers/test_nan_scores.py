"""Samplers raise an error if their scores are NaN."""

import math

import pytest
import torch

from structured_energy.samplers import NanScoreError, Sampler
from structured_energy.testing import make_test_problem, train_snippet
from structured_energy.training import NanLossError

SAMPLERS = [
    "{type: 'gradient-based-inference', pick: 'best'}",
    "{type: 'gradient-based-inference', pick: 'all', optimizer: 'entropic-mirror-descent'}",
    "'langevin'",
    "{type: 'langevin', metropolis: true}",
    "'gibbs-with-gradients'",
    "{type: 'best-of', constituents: ['random', 'uniform']}",
]
CHAINS = ["'exact'", "{type: 'constrained', constituent: 'inference-network'}"]
CASES = [(space, sampler) for space in ("binary", "categorical") for sampler in SAMPLERS]
CASES += [("categorical", sampler) for sampler in CHAINS]


@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
@pytest.mark.parametrize(("space", "sampler"), CASES)
def test_nan_weights_raise_an_error_that_names_the_node(space, sampler, training):
    problem = make_test_problem(space=space, dtype=torch.float32)
    component = problem.build(Sampler, sampler).train(training)
    component(problem.x, None, problem.mask)
    for network in (problem.score_network, problem.task_network):
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, math.nan)
    component.log_key = "predictor"
    with pytest.raises(NanScoreError, match="in 'predictor' .* got NaN"):
        component(problem.x, problem.labels if training else None, problem.mask)


def test_the_trainer_names_the_node_and_the_batch(tmp_path):
    snippet = """{
      model: {
        type: 'structured-energy', output_space: 'binary', oracle_value: 'per-instance-f1',
        loss: 'margin-based', sampler: 'gradient-based-inference',
        score_network: {
          encoder: {
            type: 'feedforward',
            feedforward: { num_layers: 1, hidden_dims: 6, activations: 'softplus' },
          },
        },
        initializer: { regexes: [['score_network.*weight', { type: 'constant', val: 9e18 }]] },
      },
      trainer: { type: 'minimax', optimizer: 'adam', num_epochs: 1 },
    }"""
    message = "NaN in epoch 0, batch 1: it arose first in 'sampler.traj"
    with pytest.raises(NanLossError, match=message):
        train_snippet(snippet, tmp_path)
