"""Samplers inside of others, whose losses nothing would compute."""

import pytest
from allennlp.common.checks import ConfigurationError

from structured_energy.samplers import Sampler
from structured_energy.testing import make_test_problem

INNER = "{type: 'inference-network', loss: 'cross-entropy'}"


@pytest.mark.parametrize(
    ("snippet", "space"),
    [
        ("{type: 'gradient-based-inference', start: %s}", "binary"),
        ("{type: 'gibbs-with-gradients', start: %s}", "binary"),
        ("{type: 'langevin', start: %s}", "binary"),
        ("{type: 'appending-container', constituents: ['random', %s]}", "binary"),
        ("{type: 'best-of', constituents: [%s]}", "binary"),
        ("{type: 'random-picking-container', constituents: [%s]}", "binary"),
        ("{type: 'constrained', constituent: %s}", "categorical"),
        ("{type: 'mean-over-crops', size: [2, 2], windows_per_side: 2, constituent: %s}", "image"),
    ],
)
def test_a_loss_that_nothing_would_compute_is_refused(snippet, space):
    problem = make_test_problem(space=space)
    problem.build(Sampler, snippet % "'inference-network'")
    with pytest.raises(ConfigurationError, match="no loss of the sampler .*got CrossEntropyLoss"):
        problem.build(Sampler, snippet % INNER)
