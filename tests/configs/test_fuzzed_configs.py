"""Configs made from the types of the constructors, with values that fit and values that do not:
each builds and runs, or ends in one of our sentences.

`make fuzz` tries more of each component.
"""

import collections.abc
import inspect
import json
import os
import re
from typing import Literal, Union, get_args, get_origin

import pytest
import torch
from allennlp.common import Lazy, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader
from allennlp.modules import FeedForward, Seq2SeqEncoder, Seq2VecEncoder, TextFieldEmbedder
from allennlp.training.metrics import Metric
from component_names import names_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from structured_energy.data.augmentations import Augmentation
from structured_energy.decoders import Decoder, Observation
from structured_energy.encoders import Encoder
from structured_energy.losses import Loss, WeightSchedule
from structured_energy.oracle_values import OracleValue
from structured_energy.output_spaces import OutputSpace
from structured_energy.samplers import OutputOptimizer, Sampler
from structured_energy.score_networks import ScoreNetwork, StructuredScore
from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import make_test_problem
from structured_energy.testing.problem import SPACES

CASES = int(os.environ.get("FUZZ", 200)) // 10
# Given by the model, or by AllenNLP.
GIVEN = (
    "self",
    "output_space",
    "score_network",
    "task_network",
    "oracle_value",
    "vocab",
    "num_labels",
    "encoding_size",
)
# The problems that networks and terms are made for; in another one the data do not fit them.
PROBLEMS = {
    "feedforward": "binary",
    "conditional-feedforward": "binary",
    "label-attention": "binary",
    "tokens": "categorical",
    "text": "categorical",
    "pixels": "image",
    "fully-convolutional": "image",
    "u-net": "image",
    "image-and-mask": "image",
    "encoding-and-mask": "image",
    "mean-over-crops": "image",
    "random-crop": "image",
    "random-flip": "image",
    "constrained": "categorical",
    "grid": "image",
    "taxonomy": "tree",
    "hierarchical-f1": "tree",
    "violations": "tree",
    "level-f1": "tree",
    **dict.fromkeys(("tag-accuracy", "repeated-roles"), "categorical"),
    **dict.fromkeys(
        (f"{what}-{kind}" for what in ("span", "role") for kind in ("f1", "precision", "recall")),
        "categorical",
    ),
    **dict.fromkeys(("linear-chain", "skip-chain", "high-order"), "categorical"),
    **dict.fromkeys(("convolutional", "self-attention", "label-language-model"), "categorical"),
}
BASES = (
    Augmentation,
    DatasetReader,
    Decoder,
    Encoder,
    Loss,
    Metric,
    OracleValue,
    OutputOptimizer,
    OutputSpace,
    Sampler,
    ScoreNetwork,
    StructuredScore,
    TaskNetwork,
    WeightSchedule,
)
VALUES = {
    int: st.integers(-2, 4),
    float: st.sampled_from([0.0, 1.0, 0.5, -1.0, -1.5, 1e9]),
    bool: st.booleans(),
    str: st.sampled_from(["mean", "sum", "none", "labels", "", "nonsense"]),
    FeedForward: st.just({"num_layers": 1, "hidden_dims": 4, "activations": "relu"}),
    Seq2SeqEncoder: st.sampled_from(
        [{"type": "lstm", "input_size": size, "hidden_size": 3} for size in (3, 4)]
    ),
    Seq2VecEncoder: st.sampled_from([{"type": "boe", "embedding_dim": size} for size in (3, 4)]),
    TextFieldEmbedder: st.just(
        {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 3}}}
    ),
}
SIMPLEST = {Loss: ["score", "cross-entropy"], Sampler: ["inference-network", "random"]}


def value_of(annotation, depth):
    """Values for a parameter, or `None` where there are none that a config could have."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in VALUES:
        return VALUES[annotation]
    if origin is Literal:
        return st.sampled_from([*arguments, "nonsense"])
    if origin is Lazy:
        return value_of(arguments[0], depth)
    inner = [value_of(part, depth) for part in arguments if part is not type(None)]
    if origin is not None and (not inner or None in inner):
        return None
    if origin is Union:
        return st.one_of(*inner, *([st.none()] if type(None) in arguments else []))
    if origin in (list, collections.abc.Sequence):
        return st.lists(inner[0], max_size=3)
    if origin is tuple:
        return st.tuples(*inner).map(list)
    if isinstance(annotation, type) and issubclass(annotation, Registrable):
        if depth == 0:
            return st.sampled_from(SIMPLEST[annotation]) if annotation in SIMPLEST else None
        found = names_of(annotation)
        return st.one_of(*(config_of(annotation, n, depth - 1) for n in found)) if found else None
    return None


def config_of(base, name, depth=1):
    required, optional = {}, {}
    for parameter in inspect.signature(base.by_name(name).__init__).parameters.values():
        values = None if parameter.name in GIVEN else value_of(parameter.annotation, depth)
        if parameter.name == "num_channels":  # two in the problem of images
            required["num_channels"] = st.sampled_from([2, 2, 2, 3])
        elif values is not None:
            where = required if parameter.default is parameter.empty else optional
            where[parameter.name] = values
    return st.fixed_dictionaries({"type": st.just(name), **required}, optional=optional)


def run(component, problem):
    """What a component does in training."""
    if isinstance(component, Sampler):
        component(problem.x, problem.labels, problem.mask)
    elif isinstance(component, Loss):
        component.unreduced(problem.x, problem.truth, problem.sample(), problem.mask)
    elif isinstance(component, ScoreNetwork):
        component(problem.x, problem.sample().y, problem.mask)
    elif isinstance(component, StructuredScore):
        h = problem.task_network.hidden(problem.x, problem.mask)
        component(problem.sample().y, problem.mask, component.encode(problem.x, h, problem.mask))
    elif isinstance(component, (Encoder, TaskNetwork)):
        component(problem.x, problem.mask)
    elif isinstance(component, Augmentation):
        component({"x": problem.x, "labels": problem.labels})
    elif isinstance(component, Metric):
        y = problem.sample().y[:, 0]
        component(y, problem.output_space.decode(y), problem.labels)
        component.get_metric(reset=True)
    elif isinstance(component, Decoder):
        existing = problem.output_space.existing_positions(problem.mask)
        prediction = component.predict(problem.x, problem.sample().y[:, 0], existing)
        component.fit([Observation(prediction, problem.labels, problem.mask)])
        component.decode(prediction)
    elif isinstance(component, WeightSchedule):
        assert [component.advance() for _ in range(3)][0] == component.at(0)
    elif isinstance(component, OracleValue):
        component.value(problem.truth, problem.sample().y, problem.mask)


@pytest.fixture()
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def is_one_of_ours(error):
    """A sentence of ours, or AllenNLP's about a key, also one that may be of several types, or that
    of torch's optimisers about a number."""
    if isinstance(error, ConfigurationError) and "Failed to construct argument" in str(error):
        return True
    return type(error) in (ConfigurationError, ValueError) and (
        re.search("xpected|is required|Invalid|has to be|should be", str(error))
    )


@pytest.mark.parametrize(
    ("base", "name"),
    [(base, name) for base in BASES for name in names_of(base)],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_a_config_builds_and_runs_or_is_refused_in_one_sentence(base, name, double):
    built = []

    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize="FUZZ" not in os.environ,
        database=None,
        phases=(Phase.explicit, Phase.generate),  # shrinking builds hundreds of models
        suppress_health_check=list(HealthCheck),
    )
    @given(config_of(base, name), st.sampled_from([PROBLEMS[name]] if name in PROBLEMS else SPACES))
    def try_one(config, space):
        problem = make_test_problem(space=space)
        try:
            run(problem.build(base, json.dumps(config)), problem)
            built.append(config)
        except Exception as error:
            if not is_one_of_ours(error):
                raise

    try_one()
    # Windows hardly ever fit, the encoding of the problems has not the size of logits, and encoders
    # are nested once, which a standardised one is twice; no role is among the strings.
    if name not in (
        "mean-over-crops",
        "random-crop",
        "scaled-logits",
        "standardized",
        "sequence",
        "repeated-roles",
    ):
        assert built, "no config of it was good"


FEEDFORWARD = {"type": "feedforward", "feedforward": {"num_layers": 1, "hidden_dims": 4}}
FEEDFORWARD["feedforward"]["activations"] = "relu"
CONSTANT = {"type": "nce-ranking", "correct_for_proposal": False}


@pytest.mark.parametrize(
    ("base", "config", "space", "message"),
    [
        (
            Sampler,
            {"type": "gradient-based-inference", "adversarial": CONSTANT},
            "binary",
            "gradient reaches the output .*, got RankingNoiseContrastiveLoss",
        ),
        (StructuredScore, FEEDFORWARD, "image", "Expected rows of labels"),
        (StructuredScore, {"type": "grid"}, "categorical", "Expected images .* 'binary'"),
        (
            StructuredScore,
            {"type": "self-attention", "hidden_size": 2, "num_heads": 1},
            "categorical",
            "a hidden_size of at least 4",
        ),
    ],
    ids=lambda part: part["type"] if isinstance(part, dict) else None,
)
def test_what_was_found_by_many_is_refused(base, config, space, message):
    problem = make_test_problem(space=space)
    with pytest.raises((ConfigurationError, ValueError), match=message):
        run(problem.build(base, json.dumps(config)), problem)


def test_jsonnet_s_zero_is_a_beta():
    config = json.dumps(
        {"type": "optimizer", "optimizer": {"type": "fused-adamw", "betas": [0, 0]}}
    )
    make_test_problem().build(OutputOptimizer, config)
