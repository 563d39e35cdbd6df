"""The conformance suite of samplers."""

import copy
from typing import ClassVar

import pytest
import torch

from ...samplers import Sampler
from ..problem import TestProblem
from .edges import check_finite, edge_problems, make_extreme, precisions
from .suite import DTYPES, Conformance, in_dtypes


class SamplerConformance(Conformance):
    """A sampler: shapes, feasible outputs, determinism under a seed, independence of labels."""

    base = Sampler
    predicts: ClassVar[bool] = True
    """Whether it needs no labels."""

    @in_dtypes(*DTYPES)
    def test_shape_and_feasibility(self, problem: TestProblem, component: Sampler) -> None:
        sample = component(problem.x, problem.labels, None)
        event = problem.truth.shape[2:]
        assert sample.y.shape[:1] == problem.truth.shape[:1] and sample.y.shape[2:] == event
        assert sample.y.dtype == problem.dtype
        assert problem.output_space.contains(sample.y)
        for other in (sample.logits, sample.cost_augmented):
            assert other is None or other.shape == sample.y.shape
        if component.has_logits is not None:
            assert (sample.logits is not None) == component.has_logits
        assert sample.log_prob is None or sample.log_prob.shape == sample.y.shape[:2]

    def test_labels_are_needed_only_where_it_says_so(
        self, problem: TestProblem, component: Sampler
    ) -> None:
        component.eval()
        if not self.predicts:
            with pytest.raises(ValueError, match="labels"):
                component(problem.x)
        else:
            sample = component(problem.x)
            assert sample.loss is None
            assert problem.output_space.contains(sample.y)

    def test_the_same_seed_gives_the_same_outputs(
        self, problem: TestProblem, component: Sampler
    ) -> None:
        outputs = []
        for sampler in (copy.deepcopy(component), component):
            torch.manual_seed(7)
            outputs.append(sampler(problem.x, problem.labels).y)
        torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=0)

    def outputs(self, problem: TestProblem, component: Sampler) -> torch.Tensor:
        return component(problem.x, problem.labels, problem.mask).y

    @in_dtypes(torch.float32)
    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            component = edge.build(Sampler, snippet)
            sample = component(edge.x, edge.labels, edge.mask)
            assert edge.output_space.contains(sample.y), name
            check_finite(name, *(part for part in sample if part is not None))
            if sample.loss is not None:
                sample.loss.backward()
            for part in component.parameters():
                if part.grad is not None:
                    check_finite(name, part.grad)

    @in_dtypes(torch.float32)
    def test_extreme_networks(self, problem: TestProblem, component: Sampler) -> None:
        make_extreme(problem)
        for precision in precisions():
            with precision:
                sample = component(problem.x, problem.labels, problem.mask)
            assert problem.output_space.contains(sample.y)
            check_finite("extreme", sample.y)
            if sample.loss is not None:
                check_finite("extreme", sample.loss)

    @in_dtypes(torch.float32)
    def test_low_precision(self, problem: TestProblem, component: Sampler) -> None:
        for precision in precisions():
            with precision:
                sample = component(problem.x, problem.labels, problem.mask)
            assert problem.output_space.contains(sample.y)
            check_finite("low precision", *(part for part in sample if part is not None))

    def test_the_loss_is_a_scalar_and_a_child(
        self, problem: TestProblem, component: Sampler
    ) -> None:
        loss = component(problem.x, problem.labels).loss
        assert (loss is None) == (component.loss is None)
        if loss is not None:
            assert loss.shape == ()
            assert component.loss in component.logging_children

    def test_every_weight_of_its_own_learns(self, problem: TestProblem, component: Sampler) -> None:
        loss = component(problem.x, problem.labels).loss
        if loss is None:
            pytest.skip("it has no loss")
        loss.backward()
        with torch.no_grad():  # away from weights that start at zero
            for parameter in component.parameters():
                parameter.add_(0.1)
        component.zero_grad()
        component(problem.x, problem.labels).loss.backward()
        for name, parameter in component.named_parameters():
            assert parameter.grad is not None, f"{name} gets no gradient"
            assert parameter.grad.abs().sum() > 0, f"{name} gets no gradient"
