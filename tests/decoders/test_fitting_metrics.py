"""Metrics of other outputs than those of the output space."""

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from structured_energy.decoders import Decoder, Evaluation
from structured_energy.testing import make_test_problem

OTHERS = {
    "binary": ["tag-accuracy", "uas"],
    "image": ["tag-accuracy", "las"],
    "dag": ["tag-accuracy", "clas"],
    "categorical": ["example-f1", "map-label", "uas"],
    "dependencies": ["micro-f1", "role-precision", {"type": "tag-accuracy", "by_tag": True}],
}
OWN = {
    "binary": "micro-f1",
    "image": "iou",
    "dag": "hierarchical-f1",
    "categorical": "tag-accuracy",
    "dependencies": "las",
}


def metric_of(problem, config):
    params = Params(dict(config)) if isinstance(config, dict) else Params({"type": config})
    return Metric.from_params(params, vocab=problem.vocab)


@pytest.mark.parametrize("space", OTHERS)
def test_a_model_and_its_decoder_refuse_metrics_of_other_outputs(space):
    problem = make_test_problem(space=space)
    decoder = problem.build(Decoder, "'argmax'")
    for config in OTHERS[space]:
        metric = metric_of(problem, config)
        expected = f"for the model, got '{metric.name}', which is of other outputs"
        with pytest.raises(ConfigurationError, match=expected):
            Evaluation([metric], decoder)
        with pytest.raises(ConfigurationError, match="which is of other outputs"):
            decoder.fitting_metric(metric)
    Evaluation([metric_of(problem, OWN[space])], decoder)


def test_a_utility_is_a_metric_of_the_outputs():
    utility = "{type: 'minimum-bayes-risk', sampler: 'network-draws', utility: '%s'}"
    problem = make_test_problem()
    problem.build(Decoder, utility % "micro-f1")
    with pytest.raises(ConfigurationError, match="which is of other outputs"):
        problem.build(Decoder, utility % "tag-accuracy")
    with pytest.raises(ConfigurationError, match="in which the outputs play a part"):
        problem.build(Decoder, utility % "map-label")
