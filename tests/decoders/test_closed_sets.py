"""Decoders of closed sets: no output violates the taxonomy, whatever the probabilities."""

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from sklearn.metrics import f1_score

from structured_energy.decoders import Decoder, Observation, PerLabelDecoder, Prediction
from structured_energy.metrics import ExampleF1
from structured_energy.output_spaces import HierarchicalOutputSpace
from structured_energy.taxonomy import Taxonomy
from structured_energy.testing import evaluate_jsonnet, make_test_problem

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


def test_thresholds_by_label_are_fitted_to_closed_outputs():
    space = HierarchicalOutputSpace.of(Taxonomy.from_edges([("b", "c"), ("a", "b"), ("a", "d")]))
    torch.manual_seed(9)  # where thresholds of their own turn on ancestors that are off
    p = space.normalize(1.5 * torch.randn(60, 4) + 0.5)
    labels = space.complete(torch.rand(60, 4) < 0.1 + 0.4 * p)
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for term in space.taxonomy.terms:
        vocab.add_token_to_namespace(term, "labels")
    decoder = PerLabelDecoder(vocab, space, shrinkage=0.0, candidates=19)
    decoder.fit([Observation(Prediction(p[:25]), labels[:25])])
    decoder.fit([Observation(Prediction(p[i : i + 20]), labels[i : i + 20]) for i in (0, 20, 40)])
    fitted = decoder.thresholds.clone()

    def f1_of(label):
        outputs = decoder.decode(Prediction(p))[:, label]
        return f1_score(labels[:, label], outputs, zero_division=0.0)

    for label in range(4):
        reached, values = f1_of(label), []
        for threshold in decoder.common.grid["threshold"]:
            decoder.thresholds[label] = threshold
            values.append(f1_of(label))
        assert reached == pytest.approx(max(values)), space.taxonomy.terms[label]
        decoder.thresholds.copy_(fitted)


@pytest.mark.parametrize("coherence", ["conditional", "max"])
@pytest.mark.parametrize(
    "rule",
    [
        "'threshold'",
        "'relative'",
        "'relative-and-absolute'",
        "{type: 'top-k', max_k: 3}",
        "{type: 'at-least-one', decoder: 'threshold'}",
        "{type: 'at-least-one', decoder: 'relative-and-absolute'}",
        "'expected-f1'",
    ],
)
def test_each_point_of_a_grid_is_valued_by_its_outputs(rule, coherence):
    # A label stands before its parents, and with the coherence `max` is as probable as they are.
    taxonomy = Taxonomy.from_edges([("b", "c"), ("a", "b")])
    space = HierarchicalOutputSpace.of(taxonomy, coherence)
    params = evaluate_jsonnet(rule)
    config = Params({"type": params} if isinstance(params, str) else params)
    decoder = Decoder.from_params(config, vocab=Vocabulary(), output_space=space)
    torch.manual_seed(0)
    prediction = Prediction(space.normalize(2 * torch.randn(30, 3)))
    labels = space.complete(torch.rand(30, 3) < 0.3)
    sums = decoder.grid_sums(Observation(prediction, labels))
    values = []
    for point in decoder.points():
        decoder.use(point)
        metric = ExampleF1()
        metric(prediction.probabilities, decoder.decode(prediction), labels)
        values.append(metric.get_metric())
    assert decoder.metric.numbers(sums) == pytest.approx(values, abs=1e-9)
