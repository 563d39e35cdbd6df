"""The likelihood of the candidates nearest to the truth, by hand."""

import torch

from structured_energy.losses import Loss
from structured_energy.sampler_output import SamplerOutput
from structured_energy.testing import make_test_problem


def test_it_is_the_log_softmax_at_the_nearest_candidates():
    problem = make_test_problem()
    loss = problem.build(Loss, "'candidate-likelihood'")
    truth = problem.truth
    flipped = [truth.clone() for _ in range(3)]
    for places, y in zip(([0], [1], [0, 1]), flipped, strict=True):
        y[:, :, places] = 1 - y[:, :, places]
    far, near = torch.cat(flipped, 1), torch.cat([*flipped, truth], 1)
    for y, nearest in ((far, [0, 1]), (near, [3])):
        p = problem.score_network(problem.x, y).softmax(1)
        values = loss.unreduced(problem.x, truth, SamplerOutput(y))
        torch.testing.assert_close(values, -p[:, nearest].sum(1, keepdim=True).log())
        assert loss.get("coverage") == (y is near)
        loss.get_metrics(reset=True)
