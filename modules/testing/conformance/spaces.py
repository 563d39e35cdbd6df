"""The conformance suites of output spaces and oracle values."""

from functools import partial

import numpy as np
import pytest
import torch

from ...oracle_values import OracleValue
from ...output_spaces import OutputSpace
from ..problem import TestProblem
from .suite import (
    DTYPES,
    Conformance,
    check_gradient_function,
    check_gradients,
    draw_logits,
    in_dtypes,
    with_padding_changed,
)


class OracleValueConformance(Conformance):
    """An oracle value: its bound, reached by the truth; padding; gradients."""

    base = OracleValue
    dtypes = DTYPES

    def test_the_truth_reaches_the_bound(
        self, problem: TestProblem, component: OracleValue
    ) -> None:
        value = component.value(problem.truth, problem.truth, problem.mask)
        torch.testing.assert_close(value, torch.full_like(value, component.upper_bound))
        assert component.value(problem.truth, problem.sample().y).shape == (3, 3)
        assert (component.cost(problem.truth, problem.sample().y) >= 0).all()

    def test_padding_changes_nothing(self, problem: TestProblem, component: OracleValue) -> None:
        y = problem.sample().y
        values = [
            component.value(
                with_padding_changed(problem, problem.truth, value),
                with_padding_changed(problem, y, value),
                problem.mask,
            )
            for value in (0.0, 1.0)
        ]
        torch.testing.assert_close(values[0], values[1])

    def test_pairs_of_outputs(self, problem: TestProblem, component: OracleValue) -> None:
        space = problem.output_space
        truths, y = (space.nearest_corner(problem.sample(n).y) for n in (3, 4))
        y[:, 0] = truths[:, 0]
        if space.is_binary:
            y[:, 1] = truths[:, 1] = 0.0
        values = component.pairwise(truths, y, problem.mask)
        for i, truth in enumerate(truths.split(1, 1)):
            expected = component.value(truth, y, problem.mask)
            torch.testing.assert_close(values[:, i], expected)

    @in_dtypes(torch.float64)
    def test_gradients(self, problem: TestProblem, component: OracleValue) -> None:
        check_gradients(lambda y: component.value(problem.truth, y), [problem.sample().y])

    def test_the_gradient_in_y_is_that_of_autograd(
        self, problem: TestProblem, component: OracleValue
    ) -> None:
        y = problem.sample().y
        full = problem.output_space.normalize(torch.ones_like(problem.truth))
        for truth in (problem.truth, full, torch.zeros_like(problem.truth)):
            for mask in (None, problem.mask):
                check_gradient_function(
                    component.gradient_function(truth, mask),
                    partial(component.value, truth, mask=mask),
                    y,
                )


class OutputSpaceConformance(Conformance):
    """An output space: feasibility, projection, log-probabilities, draws, padding."""

    base = OutputSpace
    dtypes = DTYPES

    def test_normalized_projected_and_random_outputs_are_feasible(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        logits = 50 * draw_logits(problem, 20)
        for y in (
            component.normalize(logits),
            component.project(logits),
            component.random(logits),
            component.sample(logits[:, 0], 5),
            component.sample(logits[:, 0], 5, temperature=0.3),
            component.encode(problem.labels),
        ):
            assert component.contains(y)
        assert not component.contains(logits)

    def test_projection_is_the_nearest_of_many_feasible_points(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        point = 3 * draw_logits(problem, 1)
        projected = component.project(point)
        torch.testing.assert_close(component.project(projected), projected)
        distance = (projected - point).flatten(2).norm(dim=2)
        others = component.random(point.expand(-1, 2000, *point.shape[2:]))
        others = torch.cat(
            [others, component.project(projected + 0.1 * torch.randn_like(others))], 1
        )
        assert (distance <= (others - point).flatten(2).norm(dim=2) + 1e-6).all()

    def test_draws_at_uniform_numbers_have_the_probabilities(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        logits = draw_logits(problem, 1)[:, 0]
        positions = component.position_shape(tuple(logits.shape[1:]))
        assert positions == problem.mask.shape[1:]
        # Evenly spaced: of positions that are independent each share is exact up to 1 / count.
        count = 2000 if component.independent else 40000
        even = (torch.arange(count) + 0.5) / count
        even = even.view(-1, *[1] * len(positions)).expand(count, *positions)
        if not component.independent:
            order = torch.rand(count, *positions).argsort(0)
            even = even.gather(0, order)
        y = component.draw_at(logits, even)
        assert component.contains(y) and torch.equal(component.nearest_corner(y), y)
        expected = component.means(logits.unsqueeze(1))[:, 0]
        tolerance = 2 / count if component.independent else 0.015
        assert (y.mean(1) - expected).abs().max() < tolerance

    def test_shared_mass_is_that_of_each_pair(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        y, other = problem.sample(3).y, problem.sample(4).y
        shared = component.shared_mass(y, other, problem.mask)
        for i, each in enumerate(y.split(1, 1)):
            expected = component.sum_positions(component.position_dot(each, other), problem.mask)
            torch.testing.assert_close(shared[:, i], expected)

    def test_logits_of_an_output_normalize_to_it(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        for y in (component.random(draw_logits(problem, 4)), problem.truth):
            logits = component.logits_of(y)
            assert torch.isfinite(logits).all()
            torch.testing.assert_close(component.normalize(logits), y, atol=1e-5, rtol=1e-4)

    def test_a_move_changes_one_position_and_back(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        y = component.nearest_corner(component.random(draw_logits(problem, 4)))
        assert component.contains(y)
        torch.testing.assert_close(component.nearest_corner(y), y, rtol=0, atol=0)
        gradient = torch.randn_like(y)
        changes = component.move_changes(y, gradient)
        for index in range(changes.shape[2]):
            move = torch.full(y.shape[:2], index)
            moved, back = component.move(y, move)
            real = torch.isfinite(changes[..., index])
            linear = ((moved - y) * gradient).flatten(2).sum(2)
            torch.testing.assert_close(changes[..., index][real], linear[real])
            changed = component.sum_positions((component.position_distance(moved, y) > 0).float())
            assert (changed == real.float()).all()
            torch.testing.assert_close(component.move(moved, back)[0], y, rtol=0, atol=0)

    def test_no_move_is_in_the_padding(self, problem: TestProblem, component: OutputSpace) -> None:
        y, padding = problem.truth, ~problem.mask.unsqueeze(1)
        changes = component.move_changes(y, torch.randn_like(y), problem.mask)
        for index in range(changes.shape[2]):
            moved, _ = component.move(y, torch.full(y.shape[:2], index))
            in_padding = (component.position_distance(moved, y) > 0) & padding
            assert not torch.isfinite(changes[..., index])[in_padding.flatten(2).any(2)].any()

    def test_neighbours_differ_in_one_position(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        y = problem.truth
        neighbours = component.neighbours(y[:, 0])
        positions = component.position_mass(y)[0, 0].numel()
        assert neighbours.shape[:2] == (len(y), positions)
        assert neighbours.shape[3:] == y.shape[2:]
        assert component.contains(neighbours)
        changes = component.move_changes(y, torch.zeros_like(y))
        possible = changes[:, 0].isfinite().view(len(y), positions, -1).sum(2)
        count = torch.zeros_like(possible)
        for value in range(neighbours.shape[2]):
            change = component.position_distance(neighbours[:, :, value], y).flatten(2) > 0
            own = change.diagonal(0, 1, 2)
            assert (change == torch.diag_embed(own)).all()
            count += own
        assert (count == possible).all()
        assert not component.independent or (possible == neighbours.shape[2]).all()

    def test_labels_survive_encoding(self, problem: TestProblem, component: OutputSpace) -> None:
        decoded = component.decode(component.encode(problem.labels)[:, 0])
        assert (decoded == problem.labels).all()

    def test_log_probabilities_are_finite_and_padding_free(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        logits = 1e4 * draw_logits(problem, 1)
        assert torch.isfinite(component.log_prob(logits, problem.truth)).all()
        values = [
            component.log_prob(
                with_padding_changed(problem, logits, value), problem.truth, problem.mask
            )
            for value in (-1.0, 1.0)
        ]
        torch.testing.assert_close(values[0], values[1])

    def test_log_probabilities_under_several_logits(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        logits = draw_logits(problem, 3)
        y = component.sample(component.with_mask(logits[:, 0], problem.mask), 5)
        expected = [component.log_prob(logits[:, [i]], y, problem.mask) for i in range(3)]
        for value in (-1.0, 1.0):
            padded = with_padding_changed(problem, logits, value)
            values = component.log_probs(padded, y, problem.mask)
            torch.testing.assert_close(values, torch.stack(expected, 2))
        values = component.log_probs(logits, y)
        torch.testing.assert_close(values[:, :, 1], component.log_prob(logits[:, [1]], y))

    def test_draws_follow_the_distribution(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        logits = draw_logits(problem, 1)[:, 0]
        draws = component.sample(logits, 20000)
        expected = component.means(logits)
        np.testing.assert_allclose(draws.mean(1).numpy(), expected.numpy(), atol=0.02)

    def test_confusion_counts_real_positions(
        self, problem: TestProblem, component: OutputSpace
    ) -> None:
        y = component.sample(draw_logits(problem, 1)[:, 0], 1)
        expected = component.confusion(problem.truth, y, problem.mask)
        if expected is None:
            pytest.skip("its values do not exclude each other")
        padded = with_padding_changed(problem, y, torch.nan)
        counts = component.confusion(problem.truth, padded, problem.mask)
        torch.testing.assert_close(counts, expected)
        assert int(expected.sum()) == int(problem.mask.sum())

    def test_distance(self, problem: TestProblem, component: OutputSpace) -> None:
        y = component.sample(draw_logits(problem, 1)[:, 0], 4)
        assert (component.distance(y, y) == 0).all()
        distance = component.distance(y, problem.truth, problem.mask)
        assert ((distance >= 0) & (distance <= 1)).all()

    def test_perturb(self, problem: TestProblem, component: OutputSpace) -> None:
        y = problem.truth.expand(-1, 2000, *problem.truth.shape[2:])
        assert (component.perturb(y, 0.0) == y).all()
        changed = component.perturb(y, 1.0)
        assert component.contains(changed)
        assert component.distance(changed, y).mean() > (0.3 if component.independent else 0.2)
        rates = (torch.arange(2000) % 2).view(1, -1, *[1] * (y.dim() - 2))
        each = component.distance(component.perturb(y, rates), y)
        assert (each[:, ::2] == 0).all() and each[:, 1::2].mean() > 0.2
