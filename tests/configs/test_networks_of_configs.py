"""Networks in configs: the earlier form, and encoders that do not fit an output space."""

import json
import re

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from structured_energy.configs import faults_of
from structured_energy.decoders import Decoder
from structured_energy.output_spaces import BinaryOutputSpace, CategoricalOutputSpace
from structured_energy.score_networks import ScoreNetwork
from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import evaluate_jsonnet, make_test_problem

FEEDFORWARD = "{num_layers: 1, hidden_dims: 6, activations: 'softplus'}"
EMBEDDER = "{token_embedders: {tokens: {type: 'embedding', embedding_dim: 5}}}"
LSTM = "{type: 'lstm', input_size: 5, hidden_size: 4}"
U_NET = "{type: 'u-net', hidden: [4, 4], num_channels: 2}"
# The earlier form, its problem, and the new form.
BOTH = [
    (
        f"{{type: 'multi-label', feature_network: {FEEDFORWARD}}}",
        "binary",
        f"{{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}}",
    ),
    (
        f"{{feature_network: {FEEDFORWARD}}}",
        "binary",
        f"{{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}}",
    ),
    (
        f"{{type: 'sequence-tagging', embedder: {EMBEDDER}}}",
        "categorical",
        f"{{encoder: {{type: 'tokens', embedder: {EMBEDDER}}}}}",
    ),
    (
        f"{{type: 'sequence-tagging', embedder: {EMBEDDER}, encoder: {LSTM}, dropout: 0.3}}",
        "categorical",
        f"{{encoder: {{type: 'tokens', embedder: {EMBEDDER}, encoder: {LSTM}, dropout: 0.3}}}}",
    ),
    (f"{{type: 'segmentation', encoder: {U_NET}}}", "image", f"{{encoder: {U_NET}}}"),
]
SCORES = [
    (
        f"{{type: 'multi-label', feature_network: {FEEDFORWARD}, structured_scores: "
        f"[{{type: 'feedforward', feedforward: {FEEDFORWARD}}}]}}",
        "binary",
        f"{{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}, structured_scores: "
        f"[{{type: 'feedforward', feedforward: {FEEDFORWARD}}}]}}",
    ),
    (
        f"{{type: 'sequence-tagging', embedder: {EMBEDDER}, structured_scores: ['linear-chain']}}",
        "categorical",
        f"{{encoder: {{type: 'tokens', embedder: {EMBEDDER}}}, structured_scores: "
        "['linear-chain']}",
    ),
    (
        f"{{type: 'segmentation', encoder: {U_NET}, structured_scores: ['grid'], image_and_mask: "
        "{hidden: [4, 5], num_channels: 2, width: 3}}",
        "image",
        f"{{encoder: {U_NET}, structured_scores: ['grid', "
        "{type: 'image-and-mask', hidden: [4, 5], num_channels: 2, width: 3}]}",
    ),
    (
        "{type: 'segmentation', image_and_mask: {hidden: [4], num_channels: 2}}",
        "image",
        "{encoder: {type: 'pixels', num_channels: 2}, local_term: false, structured_scores: "
        "[{type: 'image-and-mask', hidden: [4], num_channels: 2}]}",
    ),
    (
        f"{{type: 'segmentation', encoder: {U_NET}, pixels: 'mean', encoding_and_mask: "
        "{hidden: [4], width: 1}}",
        "image",
        f"{{encoder: {U_NET}, positions: 'mean', structured_scores: "
        "[{type: 'encoding-and-mask', hidden: [4], width: 1}]}",
    ),
]


@pytest.mark.parametrize(
    ("base", "old", "space", "new"),
    [(TaskNetwork, *case) for case in BOTH] + [(ScoreNetwork, *case) for case in BOTH + SCORES],
)
def test_an_earlier_form_is_an_error_with_the_new_one(base, old, space, new):
    problem = make_test_problem(space=space)
    key = "task_network" if base is TaskNetwork else "score_network"
    with pytest.raises(ConfigurationError, match=f"encoder at 'model.{key}', got") as error:
        problem.build(base, old)
    (found,) = re.findall(r"write (\{.*\})$", error.value.message)
    assert json.loads(found) == evaluate_jsonnet(new)
    network = problem.build(base, found)
    y = problem.sample().y
    if base is TaskNetwork:
        assert network(problem.x, problem.mask).shape == y[:, 0].shape
    else:
        assert network(problem.x, y, problem.mask).shape == (3, 3)


def test_an_earlier_form_in_a_model_is_an_error_with_the_new_one(tiny_model):
    old, new = f"{{type: 'multi-label', feature_network: {FEEDFORWARD}}}", BOTH[0][2]
    rest = "loss: 'score', sampler: {type: 'inference-network', loss: 'score'}"
    tiny_model(f"{{task_network: {new}, score_network: {new}, {rest}}}")
    for task, score, key in ((old, new, "task"), (new, old, "score")):
        with pytest.raises(ConfigurationError, match=f"'model.{key}_network', got .*; write"):
            tiny_model(f"{{task_network: {task}, score_network: {score}, {rest}}}")


@pytest.mark.parametrize("base", [TaskNetwork, ScoreNetwork])
@pytest.mark.parametrize(
    ("encoder", "name"),
    [
        (
            f"{{type: 'text', embedder: {EMBEDDER}, seq2vec_encoder: "
            "{type: 'boe', embedding_dim: 5}}",
            "TextEncoder",
        ),
        (f"{{type: 'feedforward', feedforward: {FEEDFORWARD}}}", "FeedForwardEncoder"),
    ],
)
def test_an_encoder_that_does_not_fit_the_output_space_is_named_with_it(base, encoder, name):
    problem = make_test_problem(space="categorical")
    message = f"Expected an encoder of tokens or pixels .* {name}, the output space Categorical"
    with pytest.raises(ConfigurationError, match=message):
        problem.build(base, f"{{encoder: {encoder}}}")


def test_the_size_of_the_logits_follows_from_the_output_space_and_the_positions():
    problem = make_test_problem(space="categorical")
    binary, categorical = BinaryOutputSpace(), CategoricalOutputSpace(problem.vocab)
    # An instance has a logit for each label, a token or pixel one for each tag or a single one.
    assert [binary.logits_size(dims, 7) for dims in (0, 1, 2)] == [7, None, None]
    assert [categorical.logits_size(dims, 7) for dims in (1, 2)] == [3, 3]
    with pytest.raises(ConfigurationError, match="got one vector for an instance"):
        categorical.logits_size(0, 7)


def test_tokens_that_are_on_or_off():
    """The space `binary` with an encoder of tokens: a label for each token."""
    problem = make_test_problem(space="categorical")
    problem.output_space = BinaryOutputSpace()
    config = f"{{encoder: {{type: 'tokens', embedder: {EMBEDDER}}}}}"
    task, score = (problem.build(base, config) for base in (TaskNetwork, ScoreNetwork))
    logits = task(problem.x, problem.mask)
    assert logits.shape == problem.mask.shape
    y = torch.rand(3, 2, *problem.mask.shape[1:], dtype=problem.dtype)
    u = (
        score.projection.weight[0] @ score.encoder(problem.x, problem.mask).mT
        + score.projection.bias
    )
    expected = (y * u.unsqueeze(1) * problem.mask.unsqueeze(1)).sum(2)
    torch.testing.assert_close(score(problem.x, y, problem.mask), expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tuned", {"type": "threshold"}),
        ({"type": "tuned", "metric": "iou"}, {"type": "threshold", "metric": "iou"}),
        ({"type": "fixed", "value": 0.4}, {"type": "threshold", "threshold": 0.4}),
        ({}, {"type": "threshold", "threshold": 0.5}),
    ],
)
def test_a_threshold_of_an_earlier_version_is_refused_with_the_decoder(old, new):
    faults = faults_of({"model": {"type": "structured-energy", "threshold": old}})
    (message,) = [fault.message for fault in faults if fault.place == "model"]
    assert message.endswith(f'write "decoder": {json.dumps(new)}')
    decoder = Decoder.from_params(Params(new), output_space=BinaryOutputSpace())
    assert type(decoder).__name__ == "ThresholdDecoder"
