"""Decoders of closed sets: no output violates the taxonomy, whatever the probabilities."""

import pytest
import torch

from structured_energy.decoders import Decoder, Observation, Prediction
from structured_energy.testing import make_test_problem

RULES = [
    "'argmax'",
    "{type: 'threshold', threshold: 0.3}",
    "'relative'",
    "'relative-and-absolute'",
    "{type: 'top-k', k: 2}",
    "'per-label'",
    "'expected-f1'",
    "{type: 'at-least-one', decoder: 'threshold'}",
]


@pytest.mark.parametrize("space", ["tree", "dag"])
@pytest.mark.parametrize("rule", RULES)
def test_outputs_are_closed(space, rule):
    problem = make_test_problem(space=space)
    decoder = problem.build(Decoder, rule)
    torch.manual_seed(0)
    coherent = problem.output_space.normalize(torch.randn(200, 4, dtype=torch.float64))
    tied = (4 * coherent).round() / 4
    incoherent = torch.rand(200, 4, dtype=torch.float64)
    labels = problem.output_space.complete(torch.rand(200, 4) < 0.3)
    for probabilities in (coherent, tied, incoherent):
        prediction = Prediction(probabilities)
        decoder.fit([Observation(prediction, labels)])
        outputs = decoder.decode(prediction)
        assert problem.output_space.contains(outputs.double())
        assert outputs.any()


def test_a_threshold_for_each_label_brings_the_ancestors():
    problem = make_test_problem(space="tree")
    decoder = problem.build(Decoder, "'per-label'")
    decoder.thresholds.copy_(torch.tensor([0.9, 0.9, 0.9, 0.1]))
    outputs = decoder.decode(Prediction(torch.tensor([[0.5, 0.4, 0.1, 0.3]])))
    assert outputs.tolist() == [[True, True, False, True]]
