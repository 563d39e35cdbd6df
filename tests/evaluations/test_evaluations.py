"""Evaluations at each validation, against plain loops over all outputs of a small problem."""

import itertools
import json
import math
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from sklearn.metrics import ndcg_score

from structured_energy.evaluations import EvaluationModule
from structured_energy.evaluations.score_ranking import normalized_gain
from structured_energy.networks import frozen
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import Sampler
from structured_energy.testing import (
    evaluate_jsonnet,
    make_test_problem,
    train_snippet,
)

OUTPUTS = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64)
FEEDFORWARD = "{num_layers: 1, hidden_dims: 6, activations: 'softplus'}"
NETWORKS = f"""
  oracle_value: 'per-instance-f1',
  task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
  score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
  metrics: ['example-f1', 'map-label'],
  loss: 'nce-ranking',
  sampler: {{type: 'network-draws', num_samples: 3}},
  inference: {{type: 'inference-network', loss: 'score'}},
"""
MODEL = f"""{{
  model: {{ type: 'structured-energy', output_space: 'binary', {NETWORKS} }},
  trainer: {{ type: 'minimax', num_epochs: 2, optimizer: {{ type: 'adamw', lr: 0.05 }} }},
}}"""
DESCENT = "{type: 'gradient-based-inference', start: 'inference-network', num_steps: 3}"
EVALUATIONS = f"""{{
  ranking: 'score-ranking',
  descent: {{type: 'inference', sampler: {DESCENT}}},
}}"""


@Sampler.register("every-output")
class EveryOutput(Sampler):
    """All outputs of four labels, some of them twice."""

    def propose(self, x, truth, mask=None):
        y = torch.cat([OUTPUTS, OUTPUTS[3:6]]).to(torch.get_default_dtype())
        return SamplerOutput(y.expand(len(x.x if hasattr(x, "x") else x), -1, -1))


@pytest.fixture(autouse=True, scope="module")
def _unregistered():
    yield
    del Registrable._registry[Sampler]["every-output"]


@contextmanager
def in_double():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def expected_ranking(problem):
    """Return the values of the ranking over the instances, by loops over the outputs."""
    rows = {}
    for row in range(len(problem.labels)):
        x, mask = problem.instance(row), problem.mask[[row]]
        truth = problem.truth[row, 0]
        real = mask[0]

        def score(y, x=x, mask=mask):
            return float(problem.score_network(x, y[None, None], mask))

        def value(y, truth=truth, real=real):
            mass = float(y[real].sum() + truth[real].sum())
            return 2 * float((y * truth)[real].sum()) / mass if mass else 1.0

        drawn = [*OUTPUTS, *OUTPUTS[3:6]]
        scores, values = [score(y) for y in drawn], [value(y) for y in drawn]
        others = [
            s for s, y in zip(scores, drawn, strict=True) if not torch.equal(y[real], truth[real])
        ]
        rank = 1 + sum(s > score(truth) for s in others)
        rows.setdefault("rank", []).append(rank)
        rows.setdefault("reciprocal_rank", []).append(1 / rank)
        rows.setdefault("truth_above_draws", []).append(rank == 1)
        rows.setdefault("truth_score", []).append(score(truth))
        rows.setdefault("draw_score", []).append(np.mean(scores))
        rows.setdefault("draw_value", []).append(np.mean(values))
        best = [v for v, s in zip(values, scores, strict=True) if s == max(scores)]
        rows.setdefault("chosen_value", []).append(np.mean(best))
        # Equal scores in a call of one output are equal in a call of many only up to rounding.
        rows.setdefault("ndcg", []).append(ndcg_score([values], [np.round(scores, 9)]))
    return {name: np.mean(values) for name, values in rows.items()}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_ranking_is_that_of_loops_over_all_outputs(seed, size):
    problem = make_test_problem(seed=seed, batch_size=5)
    evaluation = problem.build(EvaluationModule, "{type: 'score-ranking', sampler: 'every-output'}")
    with in_double():
        for rows in torch.arange(5).split(size):
            evaluation(problem.x[rows], problem.labels[rows], problem.mask[rows])
    values = evaluation.get_all(reset=True)
    with torch.no_grad():
        expected = expected_ranking(problem)
    assert values == pytest.approx(expected, abs=1e-6)
    assert values["rank"] > 1 and 0 < values["ndcg"] < 1


def test_equal_scores_share_their_ranks_and_draws_of_the_truth_do_not_count():
    problem = make_test_problem()
    problem.mask[:] = True
    evaluation = problem.build(EvaluationModule, "{type: 'score-ranking', sampler: 'every-output'}")
    with torch.no_grad(), in_double():
        for parameter in problem.score_network.parameters():
            parameter.zero_()
        evaluation(problem.x, problem.labels, problem.mask)
    values = evaluation.get_all()
    copies = [
        int((torch.cat([OUTPUTS, OUTPUTS[3:6]]) == y).all(1).sum()) for y in problem.truth[:, 0]
    ]
    ranks = [1 + (19 - copies_of_truth) / 2 for copies_of_truth in copies]
    assert values["rank"] == pytest.approx(np.mean(ranks))
    assert values["truth_above_draws"] == 0
    assert values["chosen_value"] == pytest.approx(values["draw_value"])


@pytest.mark.parametrize("seed", range(5))
def test_the_gain_is_scikit_learn_s(seed):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 4, size=(6, 7)) / 4  # with ties
    values = generator.random((6, 7))
    found = normalized_gain(torch.from_numpy(scores), torch.from_numpy(values))
    expected = [ndcg_score([v], [s]) for v, s in zip(values, scores, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    assert normalized_gain(torch.ones(1, 3), torch.zeros(1, 3)).isnan().all()


def test_instances_without_a_draw_of_value_have_no_part_in_the_gain():
    problem = make_test_problem(batch_size=2)
    problem.labels[0], problem.labels[1] = True, False  # a random draw never equals 'no label'
    evaluation = problem.build(EvaluationModule, "{type: 'score-ranking', sampler: 'random'}")
    evaluation(problem.x, problem.labels)
    both = evaluation.get_all(reset=True)
    evaluation(problem.x[:1], problem.labels[:1])
    assert evaluation.get_all()["ndcg"] == both["ndcg"]
    assert math.isfinite(both["ndcg"])


@pytest.mark.parametrize("sampler", ["'inference-network'", DESCENT, "'every-output'"])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_another_inference_has_the_metrics_of_its_outputs(sampler, size):
    problem = make_test_problem(batch_size=5)
    evaluation = problem.build(EvaluationModule, f"{{type: 'inference', sampler: {sampler}}}")
    with in_double():
        for rows in torch.arange(5).split(size):
            evaluation(problem.x[rows], problem.labels[rows], problem.mask[rows])
        f1s, scores = [], []
        for row in range(5):
            x, mask = problem.instance(row), problem.mask[row]
            with frozen(problem.score_network):
                drawn = problem.build(Sampler, sampler).sample(x, None).y
                of_draws = problem.score_network(x, drawn)[0]
            predicted = drawn[0, of_draws.argmax()] > 0.5
            scores.append(float(of_draws.detach().max()))
            true, predicted = problem.labels[row][mask], predicted[mask]
            mass = int(true.sum() + predicted.sum())
            f1s.append(2 * int((true & predicted).sum()) / mass if mass else 1.0)
    assert evaluation.get_all()["score"] == pytest.approx(np.mean(scores))
    assert evaluation.values(reset=True) == {"example_f1": pytest.approx(np.mean(f1s))}


def model_outputs(tiny_model, problem, evaluations):
    """Return the predictions, losses and metrics of two validation batches of a model."""
    torch.manual_seed(0)
    more = "" if evaluations is None else f"evaluations: {evaluations},"
    model = tiny_model(f"{{ {NETWORKS} {more} }}").eval()
    torch.manual_seed(1)
    outputs = [model(problem.x.float(), problem.labels, problem.mask) for _ in range(2)]
    return outputs, model.get_metrics(reset=True), torch.rand(1), model


def test_a_model_reports_them_and_predicts_as_without(tiny_model, problem):
    plain, metrics, number, _ = model_outputs(tiny_model, problem, None)
    outputs, found, other, model = model_outputs(tiny_model, problem, EVALUATIONS)
    for with_evaluations, without in zip(outputs, plain, strict=True):
        assert torch.equal(with_evaluations["probabilities"], without["probabilities"])
        assert torch.equal(with_evaluations["loss"], without["loss"])
    assert torch.equal(number, other)
    added = {name for name in found if name not in metrics}
    assert {name: found[name] for name in metrics} == metrics
    assert added == {
        *(f"evaluations.ranking.{name}" for name in ("rank", "reciprocal_rank", "ndcg")),
        *(f"evaluations.ranking.{name}_score" for name in ("truth", "draw")),
        *(f"evaluations.ranking.{name}_value" for name in ("chosen", "draw")),
        "evaluations.ranking.truth_above_draws",
        *(f"evaluations.descent.{name}" for name in ("example_f1", "map_label", "score")),
        *(f"evaluations.descent.sampler.{name}" for name in ("score", "steps")),
    }
    assert "evaluations (Evaluations)" in model.describe()
    model.train()(problem.x.float(), problem.labels, problem.mask)
    assert not [name for name in model.get_metrics(reset=True) if name.startswith("evaluations")]


def test_without_labels_nothing_is_evaluated(tiny_model, problem):
    model = tiny_model(f"{{ {NETWORKS} evaluations: {EVALUATIONS} }}").eval()
    model(problem.x.float())
    assert not model.get_metrics(reset=True)


def test_their_weights_are_those_of_the_model(tiny_model):
    plain = tiny_model(f"{{ {NETWORKS} }}")
    model = tiny_model(f"{{ {NETWORKS} evaluations: {EVALUATIONS} }}")
    assert model.state_dict().keys() == plain.state_dict().keys()


FITTED = f"{{mine: {{type: 'inference', sampler: {DESCENT}, decoder: 'threshold'}}}}"


def test_a_fitted_decoder_is_saved_and_reported(tiny_model, problem, caplog):
    model = tiny_model(f"{{ {NETWORKS} evaluations: {FITTED} }}").eval()
    x = problem.x.float()
    with model.fitting():
        model(x, problem.labels)
    values = model.get_metrics(reset=True)
    at = values["evaluations.mine.decoder.threshold"]
    by_threshold = {}
    for threshold in (at, 0.5):
        fixed = FITTED.replace("'threshold'", f"{{type: 'threshold', threshold: {threshold}}}")
        other = tiny_model(f"{{ {NETWORKS} evaluations: {fixed} }}")
        other.load_state_dict(model.state_dict())
        other.eval()(x, problem.labels)
        by_threshold[threshold] = other.get_metrics(reset=True)["evaluations.mine.example_f1"]
    assert by_threshold[at] == values["evaluations.mine.example_f1"] > by_threshold[0.5]
    caplog.clear()
    loaded = tiny_model(f"{{ {NETWORKS} evaluations: {FITTED} }}")
    loaded.load_state_dict(model.state_dict())
    loaded.eval()(x, problem.labels)
    found = loaded.get_metrics(reset=True)
    mine = [name for name in values if name.startswith("evaluations.mine.")]
    assert [found[name] for name in mine] == [values[name] for name in mine]
    # Other evaluations load what the model saved, and what it did not save.
    renamed = tiny_model(f"{{ {NETWORKS} evaluations: {FITTED.replace('mine', 'other')} }}")
    assert not caplog.text
    renamed.load_state_dict(model.state_dict())
    assert "are not fitted" in caplog.text
    tiny_model(f"{{ {NETWORKS} }}").load_state_dict(model.state_dict())


@pytest.mark.parametrize(
    ("evaluations", "message"),
    [
        ("{'a.b': 'score-ranking'}", "names without a dot in 'evaluations' .* got 'a.b'"),
        ("{ranking: 'score-rankings'}", "score-rankings"),
        ("{ranking: {type: 'score-ranking', samples: 3}}", "samples"),
        (
            "{a: {type: 'score-ranking', log_key: 'same'}, b: {type: 'score-ranking', "
            "log_key: 'same'}}",
            "Two logged values have the name 'evaluations.same",
        ),
    ],
)
def test_faults_of_a_config_are_named(tiny_model, evaluations, message):
    with pytest.raises((ConfigurationError, ValueError), match=message):
        tiny_model(f"{{ {NETWORKS} evaluations: {evaluations} }}")


def test_a_ranking_without_a_task_network_needs_a_sampler(tiny_model):
    score_network = f"{{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}}"
    rest = f"score_network: {score_network}, loss: 'score', sampler: 'ground-truth'"
    with pytest.raises(ConfigurationError, match="Expected a 'sampler' in the evaluation 'score-r"):
        tiny_model(f"{{ {rest}, evaluations: {{ranking: 'score-ranking'}} }}")
    ranking = "{type: 'score-ranking', sampler: {type: 'random', num_samples: 5}}"
    model = tiny_model(f"{{ {rest}, evaluations: {{ranking: {ranking}}} }}")
    assert "ndcg" not in str(sorted(model.logged_values()))  # without an oracle value


@pytest.mark.parametrize("metric", ["+evaluations.descent.example_f1", "-evaluations.ranking.rank"])
def test_a_run_has_them_in_its_files_and_as_validation_metric(tmp_path, metric):
    over = {
        "model": {"evaluations": evaluate_jsonnet(EVALUATIONS)},
        "trainer": {"validation_metric": metric},
    }
    train_snippet(MODEL, tmp_path, over)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert f"best_validation_{metric[1:]}" in metrics
    assert not [name for name in metrics if name.startswith("training_evaluations")]
    assert 0 <= metrics["validation_evaluations.ranking.ndcg"] <= 1


def test_a_training_is_the_same_with_and_without(tmp_path):
    weights = []
    for name, evaluations in (("plain", {}), ("evaluated", evaluate_jsonnet(EVALUATIONS))):
        over = {"model": {"evaluations": evaluations}}
        model = train_snippet(MODEL, tmp_path / name, over)
        weights.append(model.state_dict())
    for key, value in weights[0].items():
        assert torch.equal(value, weights[1][key]), key
