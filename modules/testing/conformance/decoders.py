"""The conformance suite of decoders."""

from typing import List, Optional

import pytest
import torch

from ...decoders import Decoder, Observation, Prediction
from ...encoded import Encoded
from ..problem import TestProblem
from .edges import check_finite, edge_problems
from .suite import Conformance


def predict(
    problem: TestProblem, decoder: Decoder, rows: Optional[torch.Tensor] = None
) -> Prediction:
    """Return the prediction of the problem's task network for all instances, or some of them."""
    rows = torch.arange(len(problem.labels)) if rows is None else rows
    x = problem.x
    if isinstance(x, torch.Tensor):
        x = x[rows]
    else:
        x = {"tokens": {"tokens": x["tokens"]["tokens"][rows]}}
    mask = problem.output_space.existing_positions(problem.mask[rows])
    with torch.no_grad():
        logits = problem.task_network(Encoded.of(x, mask), mask)
        probabilities = problem.output_space.normalize(logits.unsqueeze(1))[:, 0]
        return decoder.predict(x, probabilities, mask)


def observe(problem: TestProblem, decoder: Decoder, size: int = 3) -> List[Observation]:
    """Return the observations of the problem's instances, in batches of a size."""
    return [
        Observation(predict(problem, decoder, rows), problem.labels[rows], problem.mask[rows])
        for rows in torch.arange(len(problem.labels)).split(size)
    ]


class DecoderConformance(Conformance):
    """A decoder: feasible outputs that depend on their instance only, and fitted parameters that
    are saved and independent of batches."""

    base = Decoder
    dtypes = (torch.float32,)  # of training

    @pytest.fixture(autouse=True)
    def _evaluation(self, problem: TestProblem) -> None:
        problem.task_network.eval()
        problem.score_network.eval()

    def outputs(self, problem: TestProblem, component: Decoder) -> torch.Tensor:
        return component.decode(predict(problem, component)).to(problem.dtype)

    def test_outputs_have_the_form_of_labels(
        self, problem: TestProblem, component: Decoder
    ) -> None:
        prediction = predict(problem, component)
        before = [part.clone() for part in prediction if part is not None]
        labels = component.decode(prediction)
        assert labels.shape == problem.labels.shape
        assert labels.dtype == problem.output_space.decode(prediction.probabilities).dtype
        assert problem.output_space.contains(problem.output_space.encode(labels))
        for part, copy in zip((p for p in prediction if p is not None), before, strict=True):
            assert torch.equal(part, copy)

    def test_an_output_depends_on_its_instance_only(
        self, problem: TestProblem, component: Decoder
    ) -> None:
        together = component.decode(predict(problem, component))
        for size in (1, 2):
            parts = [
                component.decode(predict(problem, component, rows))
                for rows in torch.arange(len(together)).split(size)
            ]
            assert torch.equal(torch.cat(parts)[problem.mask], together[problem.mask])

    def test_padding_changes_nothing(self, problem: TestProblem, component: Decoder) -> None:
        prediction = predict(problem, component)
        existing = prediction.mask
        if existing is None:
            pytest.skip("all positions of its outputs exist")
        hidden = existing.view(*existing.shape, *[1] * (prediction.probabilities.dim() - 2))
        uniform = torch.full_like(prediction.probabilities, 1 / prediction.probabilities.shape[-1])
        changed = prediction._replace(
            probabilities=torch.where(hidden, prediction.probabilities, uniform)
        )
        labels = component.decode(prediction)
        assert torch.equal(component.decode(changed)[existing], labels[existing])

    def test_the_fit_does_not_depend_on_batches(
        self, problem: TestProblem, component: Decoder
    ) -> None:
        if not component.is_fitted_to_data:
            pytest.skip("it has nothing to fit")
        found = []
        for size in (1, 2, 3):
            component.fit(observe(problem, component, size))
            found.append(component.fitted_values())
        assert found[0] == found[1] == found[2]

    def test_without_observations_nothing_changes(
        self, problem: TestProblem, component: Decoder
    ) -> None:
        before = component.fitted_values()
        component.fit([])
        assert component.fitted_values() == before and component.curves([]) == []

    def test_the_fitted_parameters_are_the_best_of_their_curves(
        self, problem: TestProblem, component: Decoder
    ) -> None:
        observations = observe(problem, component)
        component.fit(observations)
        for curve in component.curves(observations):
            sign = 1 if component.metric.higher_is_better else -1
            used = curve.values[curve.candidates.index(curve.used)]
            assert sign * used == pytest.approx(max(sign * value for value in curve.values))

    def test_fitted_parameters_are_saved(
        self, problem: TestProblem, component: Decoder, snippet: str
    ) -> None:
        component.fit(observe(problem, component))
        loaded = problem.build(Decoder, snippet)
        loaded.load_state_dict(component.state_dict())
        assert loaded.fitted_values() == component.fitted_values()

    def test_the_state_of_another_decoder_is_not_taken(
        self, problem: TestProblem, component: Decoder
    ) -> None:
        before = component.fitted_values()
        component.load_state_dict({"no_such_parameter": torch.tensor(0.1)})
        assert component.fitted_values() == before

    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            decoder = edge.build(Decoder, snippet)
            edge.task_network.eval()
            edge.score_network.eval()
            observations = observe(edge, decoder)
            decoder.fit(observations)
            check_finite(name, torch.tensor(list(decoder.fitted_values().values())))
            for prediction, labels, _ in observations:
                assert decoder.decode(prediction).shape == labels.shape, name

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_certain_probabilities(
        self, problem: TestProblem, component: Decoder, value: float
    ) -> None:
        if not problem.output_space.is_binary:
            pytest.skip("the probabilities of a position sum to 1")
        prediction = predict(problem, component)
        certain = prediction._replace(
            probabilities=torch.full_like(prediction.probabilities, value)
        )
        assert component.decode(certain).shape == problem.labels.shape
