"""Conformance suites: what any component must do, for a user's own as for ours.

A test file names the component and inherits the tests:

    class TestMyLoss(LossConformance):
        config = "{type: 'my-loss', weight: 2}"
"""

from typing import Any, ClassVar, Iterator, List

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError

from ..logging import LoggingMixin
from ..losses import Loss
from ..networks import frozen
from ..oracle_values import OracleValue
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..samplers import Sampler
from ..score_networks import ScoreNetwork
from .world import World, evaluate_jsonnet, make_world

DTYPES = (torch.float32, torch.float64)


def _with_padding_changed(world: World, tensor: torch.Tensor, value: float) -> torch.Tensor:
    """The tensor `(batch, num_samples, *event_shape)` with another value in its padding."""
    mask = world.mask.unsqueeze(1)
    while mask.dim() < tensor.dim():
        mask = mask.unsqueeze(-1)
    return torch.where(mask, tensor, torch.full_like(tensor, value))


def _check_gradients(function: Any, inputs: List[torch.Tensor]) -> None:
    """`gradcheck` for those inputs that the function depends on."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    if function(*inputs).requires_grad:
        assert torch.autograd.gradcheck(function, inputs)


class _Conformance:
    """What all suites share: the component, built in a world of each dtype."""

    config: ClassVar[str]
    base: ClassVar[Any]

    @pytest.fixture(params=DTYPES, ids=str)
    def world(self, request: Any) -> World:
        return make_world(dtype=request.param)

    @pytest.fixture()
    def component(self, world: World) -> Any:
        return world.build(self.base, self.config)

    @pytest.fixture(autouse=True)
    def _dtype(self, world: World) -> Iterator[None]:
        before = torch.get_default_dtype()
        torch.set_default_dtype(world.x.dtype)
        yield
        torch.set_default_dtype(before)

    def test_a_misspelt_key_raises(self, world: World) -> None:
        params = evaluate_jsonnet(self.config)
        params = {"type": params} if isinstance(params, str) else params
        with pytest.raises(ConfigurationError):
            world.build(self.base, str({**params, "no_such_key": 1}).replace("True", "true"))

    def test_the_tree_can_be_read(self, component: Any) -> None:
        if isinstance(component, LoggingMixin):
            assert component.logged_values() is not None
            assert component.log_key in component.describe()

    def test_saved_and_loaded_weights_are_the_same(self, world: World, component: Any) -> None:
        if not isinstance(component, torch.nn.Module):
            return
        other = world.build(self.base, self.config)
        other.load_state_dict(component.state_dict())
        for name, value in other.state_dict().items():
            torch.testing.assert_close(value, component.state_dict()[name])


class LossConformance(_Conformance):
    """A loss: shapes, reductions, gradients, padding, extreme values, logging."""

    base = Loss

    def test_shape_and_dtype(self, world: World, component: Loss) -> None:
        values = component.unreduced(world.x, world.truth, world.sample(), world.mask)
        assert values.shape in [(3, 3), (3, 1)]
        assert values.dtype == world.x.dtype

    def test_reduction(self, world: World, component: Loss) -> None:
        sample = world.sample()
        values = component.unreduced(world.x, world.truth, sample)
        expected = values.sum() if component.reduction == "sum" else values.mean()
        result = component(world.x, world.truth, sample)
        torch.testing.assert_close(result, values if component.reduction == "none" else expected)

    def test_the_mean_is_logged(self, world: World, component: Loss) -> None:
        values = component.unreduced(world.x, world.truth, world.sample())
        assert component.get("value") == pytest.approx(values.mean().item(), rel=1e-5, abs=1e-6)

    def test_nothing_is_logged_inside_no_logging(self, world: World, component: Loss) -> None:
        with component.no_logging():
            component(world.x, world.truth, world.sample())
        assert component.get_all() == {}

    def test_padding_changes_nothing(self, world: World, component: Loss) -> None:
        sample = world.sample()

        def loss(value: float) -> torch.Tensor:
            fields = {
                name: _with_padding_changed(world, getattr(sample, name), value)
                for name in ("y", "logits", "cost_augmented")
            }
            truth = _with_padding_changed(world, world.truth, value)
            return component.unreduced(world.x, truth, sample._replace(**fields), world.mask)

        torch.testing.assert_close(loss(0.0), loss(1.0))

    def test_saturated_outputs_give_finite_values(self, world: World, component: Loss) -> None:
        logits = torch.where(world.sample().logits > 0, 1e4, -1e4)  # type: ignore[operator]
        y = world.output_space.normalize(logits)
        sample = SamplerOutput(y, logits, y.flip(0), torch.zeros(y.shape[:2]))
        assert torch.isfinite(component.unreduced(world.x, world.truth, sample)).all()

    def test_gradients(self, world: World, component: Loss) -> None:
        if world.x.dtype != torch.float64:
            return
        sample = world.sample()

        def of_outputs(y: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
            given = sample._replace(y=y, logits=logits)
            return component.unreduced(world.x, world.truth, given, world.mask)

        assert sample.logits is not None
        with frozen(world.score_network):  # a loss that takes y as a constant then has no gradient
            _check_gradients(of_outputs, [sample.y, sample.logits])
        names, weights = zip(*world.score_network.named_parameters(), strict=True)

        def of_weights(*values: torch.Tensor) -> torch.Tensor:
            held = dict(zip(names, values, strict=True))

            class Swapped(torch.nn.Module):
                def forward(self, *inputs: Any) -> torch.Tensor:
                    return torch.func.functional_call(world.score_network, held, inputs)

            swapped = World(**{**vars(world), "score_network": Swapped()})
            loss = swapped.build(Loss, self.config)
            loss.load_state_dict(component.state_dict())
            return loss.unreduced(world.x, world.truth, sample, world.mask)

        _check_gradients(of_weights, list(weights))


class SamplerConformance(_Conformance):
    """A sampler: shapes, feasible outputs, determinism under a seed, independence of labels."""

    base = Sampler
    predicts: ClassVar[bool] = True
    """Whether it can do without labels."""

    def test_shape_and_feasibility(self, world: World, component: Sampler) -> None:
        sample = component(world.x, world.labels, None)
        assert sample.y.shape[:1] + sample.y.shape[2:] == world.labels.shape
        assert sample.y.dtype == world.x.dtype
        assert world.output_space.contains(sample.y)
        for other in (sample.logits, sample.cost_augmented):
            assert other is None or other.shape == sample.y.shape
        assert sample.log_prob is None or sample.log_prob.shape == sample.y.shape[:2]

    def test_prediction_needs_no_labels(self, world: World, component: Sampler) -> None:
        component.eval()
        if not self.predicts:
            with pytest.raises(ValueError, match="labels"):
                component(world.x)
            return
        sample = component(world.x)
        assert sample.loss is None
        assert world.output_space.contains(sample.y)

    def test_the_same_seed_gives_the_same_outputs(self, world: World, component: Sampler) -> None:
        outputs = []
        for _ in range(2):
            torch.manual_seed(7)
            outputs.append(component(world.x, world.labels).y)
        torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=0)

    def test_the_loss_is_a_scalar_and_a_child(self, world: World, component: Sampler) -> None:
        loss = component(world.x, world.labels).loss
        assert (loss is None) == (component.loss is None)
        if loss is not None:
            assert loss.shape == ()
            assert component.loss in component.logging_children

    def test_every_weight_of_its_own_learns(self, world: World, component: Sampler) -> None:
        loss = component(world.x, world.labels).loss
        if loss is None:
            return
        loss.backward()
        with torch.no_grad():  # away from weights that start at zero
            for parameter in component.parameters():
                parameter.add_(0.1)
        component.zero_grad()
        component(world.x, world.labels).loss.backward()
        for name, parameter in component.named_parameters():
            assert parameter.grad is not None, f"{name} gets no gradient"
            assert parameter.grad.abs().sum() > 0, f"{name} gets no gradient"


class ScoreNetworkConformance(_Conformance):
    """A score network: shapes, samples and instances that do not see each other, gradients,
    padding, and encodings that are computed once."""

    base = ScoreNetwork

    def test_shape_and_dtype(self, world: World, component: ScoreNetwork) -> None:
        score = component(world.x, world.sample().y, world.mask)
        assert score.shape == (3, 3)
        assert score.dtype == world.x.dtype

    def test_samples_and_instances_are_independent(
        self, world: World, component: ScoreNetwork
    ) -> None:
        component.eval()
        y = world.sample().y
        together = component(world.x, y)
        for i in range(3):
            for j in range(3):
                alone = component(world.x[i : i + 1], y[i : i + 1, j : j + 1])
                torch.testing.assert_close(alone[0, 0], together[i, j])

    def test_wrong_shapes_are_refused(self, world: World, component: ScoreNetwork) -> None:
        with pytest.raises(ValueError, match="Expected y of shape"):
            component(world.x, world.sample().y[:2])

    def test_padding_changes_nothing(self, world: World, component: ScoreNetwork) -> None:
        y = world.sample().y
        first, second = (_with_padding_changed(world, y, value) for value in (0.0, 1.0))
        torch.testing.assert_close(
            component(world.x, first, world.mask), component(world.x, second, world.mask)
        )

    def test_gradients(self, world: World, component: ScoreNetwork) -> None:
        if world.x.dtype == torch.float64:
            _check_gradients(lambda y: component(world.x, y, world.mask), [world.sample().y])

    def test_encodings_are_computed_once_while_frozen(
        self, world: World, component: ScoreNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = []
        original = component.potentials
        monkeypatch.setattr(
            component, "potentials", lambda *inputs: (calls.append(1), original(*inputs))[1]
        )
        with frozen(component):
            for _ in range(3):
                component(world.x, world.sample().y)
        assert len(calls) == 1
        component(world.x, world.sample().y)
        component(world.x, world.sample().y)
        assert len(calls) == 3


class OracleValueConformance(_Conformance):
    """An oracle value: its bound, reached by the truth; padding; gradients."""

    base = OracleValue

    def test_the_truth_reaches_the_bound(self, world: World, component: OracleValue) -> None:
        value = component.value(world.truth, world.truth, world.mask)
        torch.testing.assert_close(value, torch.full_like(value, component.upper_bound))
        assert component.value(world.truth, world.sample().y).shape == (3, 3)
        assert (component.cost(world.truth, world.sample().y) >= 0).all()

    def test_padding_changes_nothing(self, world: World, component: OracleValue) -> None:
        y = world.sample().y
        values = [
            component.value(
                _with_padding_changed(world, world.truth, value),
                _with_padding_changed(world, y, value),
                world.mask,
            )
            for value in (0.0, 1.0)
        ]
        torch.testing.assert_close(values[0], values[1])

    def test_gradients(self, world: World, component: OracleValue) -> None:
        if world.x.dtype == torch.float64:
            _check_gradients(lambda y: component.value(world.truth, y), [world.sample().y])


class OutputSpaceConformance(_Conformance):
    """An output space: feasibility, projection, log-probabilities, draws, padding."""

    base = OutputSpace

    def test_normalized_projected_and_random_outputs_are_feasible(
        self, world: World, component: OutputSpace
    ) -> None:
        logits = 50 * world.sample(20).logits  # type: ignore[operator]
        for y in (
            component.normalize(logits),
            component.project(logits),
            component.random(logits),
            component.sample(logits[:, 0], 5),
            component.sample(logits[:, 0], 5, temperature=0.3),
            component.encode(world.labels),
        ):
            assert component.contains(y)
        assert not component.contains(logits)

    def test_projection_is_the_nearest_of_many_feasible_points(
        self, world: World, component: OutputSpace
    ) -> None:
        point = 3 * world.sample(1).logits  # type: ignore[operator]
        projected = component.project(point)
        torch.testing.assert_close(component.project(projected), projected)
        distance = (projected - point).flatten(2).norm(dim=2)
        others = component.random(point.expand(-1, 2000, *point.shape[2:]))
        others = torch.cat(
            [others, component.project(projected + 0.1 * torch.randn_like(others))], 1
        )
        assert (distance <= (others - point).flatten(2).norm(dim=2) + 1e-6).all()

    def test_labels_survive_encoding(self, world: World, component: OutputSpace) -> None:
        decoded = component.decode(component.encode(world.labels)[:, 0])
        assert (decoded == world.labels).all()

    def test_log_probabilities_are_finite_and_padding_free(
        self, world: World, component: OutputSpace
    ) -> None:
        logits = 1e4 * world.sample(1).logits  # type: ignore[operator]
        assert torch.isfinite(component.log_prob(logits, world.truth)).all()
        values = [
            component.log_prob(_with_padding_changed(world, logits, value), world.truth, world.mask)
            for value in (-1.0, 1.0)
        ]
        torch.testing.assert_close(values[0], values[1])

    def test_draws_follow_the_distribution(self, world: World, component: OutputSpace) -> None:
        logits = world.sample(1).logits[:, 0]  # type: ignore[index]
        draws = component.sample(logits, 20000)
        expected = component.normalize(logits)
        np.testing.assert_allclose(draws.mean(1).numpy(), expected.numpy(), atol=0.02)

    def test_distance(self, world: World, component: OutputSpace) -> None:
        y = component.sample(world.sample(1).logits[:, 0], 4)  # type: ignore[index]
        assert (component.distance(y, y) == 0).all()
        distance = component.distance(y, world.truth, world.mask)
        assert ((distance >= 0) & (distance <= 1)).all()

    def test_perturb(self, world: World, component: OutputSpace) -> None:
        y = world.truth.expand(-1, 2000, *world.truth.shape[2:])
        assert (component.perturb(y, 0.0) == y).all()
        changed = component.perturb(y, 1.0)
        assert component.contains(changed)
        assert component.distance(changed, y).mean() > 0.3
