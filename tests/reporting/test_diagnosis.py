"""Diagnoses against scikit-learn, brute force and the parts of the model."""

import random

import numpy as np
import pytest
import torch
from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.models import Model
from sklearn.metrics import confusion_matrix, f1_score

from structured_energy.reporting import (
    LabelCounts,
    default_decoders,
    diagnose,
    inspecting,
    label_of,
)
from structured_energy.reporting.decoding import build_decoder
from structured_energy.testing import (
    data_config,
    evaluate_jsonnet,
    make_test_problem,
    merged,
    write_chunks,
    write_conllu,
    write_images,
)

FEEDFORWARD = "{num_layers: 1, hidden_dims: 8, activations: 'softplus', dropout: 0.3}"
NETWORK = f"{{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}}"
SETS = f"""{{
  data_loader: {{ shuffle: false }},
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    score_network: {NETWORK},
    loss: 'value-regression',
    sampler: 'random',
    inference: {{
      type: 'gradient-based-inference', num_steps: 6, tolerance: 0.2, pick: 'last',
      optimizer: {{type: 'projected-gradient', learning_rate: 0.1}},
    }},
    metrics: ['example-f1'],
    decoder: {{type: 'threshold', candidates: 9}},
  }},
  trainer: {{type: 'minimax', optimizer: {{type: 'adam', lr: 0.01}}}},
}}"""
TAGS = """{
  dataset_reader: { type: 'tagging-conll', conllu: true, token_column: 1, tag_column: 3 },
  data_loader: { type: 'multiprocess', batch_size: 4, shuffle: false },
  model: {
    type: 'structured-energy',
    output_space: 'categorical',
    task_network: {
      encoder: {
        type: 'tokens',
        embedder: { token_embedders: { tokens: { type: 'embedding', embedding_dim: 5 } } },
        encoder: { type: 'lstm', input_size: 5, hidden_size: 6 },
      },
    },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
    metrics: ['tag-accuracy'],
  },
  trainer: { type: 'minimax', optimizer: { type: 'adam', lr: 0.01 } },
}"""
IMAGES = """{
  dataset_reader: { type: 'segmentation-npy' },
  data_loader: { type: 'tensor', batch_size: 4, shuffle: false },
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'iou',
    decoder: { type: 'threshold', metric: 'iou', candidates: 9 },
    task_network: { encoder: { type: 'u-net', hidden: [4, 4] } },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
    metrics: ['iou'],
  },
  trainer: { type: 'minimax', optimizer: { type: 'adam', lr: 0.01 } },
}"""


def model_and_batches(snippet, folder, write=None):
    config = merged(data_config(folder), evaluate_jsonnet(snippet))
    if write is not None:
        for part in ("train", "validation"):
            config[f"{part}_data_path"] = str(write(folder, part, 11, seed=len(part)))
    torch.manual_seed(0)
    run = TrainModel.from_params(
        Params(config), serialization_dir=str(folder), local_rank=0, batch_weight_key=""
    )
    return run.model, list(run.trainer.data_loader)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    model, batches = model_and_batches(SETS, tmp_path_factory.mktemp("sets"))
    # Single instances, which converge after different numbers of steps.
    rows = [{key: value[i : i + 1] for key, value in batches[0].items()} for i in range(3)]
    rows[0]["x"] = 30 * rows[0]["x"]
    batches = [*rows, *batches[1:]]
    model.decoder.threshold.copy_(torch.cat(predictions(model, batches)).quantile(0.7))
    return model, batches


def joined(batches, key):
    return torch.cat([batch[key] for batch in batches])


def predictions(model, batches):
    model.eval()
    with torch.no_grad():
        found = [model(x=batch["x"], mask=batch.get("mask"))["probabilities"] for batch in batches]
    model.train()
    return found


@pytest.mark.parametrize("fails", [False, True])
def test_inspecting_leaves_no_trace(sets, fails):
    model, batches = sets
    random_numbers = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    modes = [part.training for part in model.modules()]
    model.score_network.eval()  # a part in evaluation mode while the model is trained
    expected = [part.training for part in model.modules()]
    assert expected != modes
    try:
        with inspecting(model) as device:
            assert device.type == "cpu" and not torch.is_grad_enabled()
            assert not any(part.training for part in model.modules())
            assert not any(weight.requires_grad for weight in model.parameters())
            model(**batches[0])
            random.random(), np.random.rand(), torch.rand(1)
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert [part.training for part in model.modules()] == expected
    model.train()
    assert all(weight.requires_grad for weight in model.parameters())
    assert model.get_all(reset=True) == {}
    assert random.getstate() == random_numbers[0]
    assert np.random.get_state()[1].tolist() == random_numbers[1]
    assert torch.equal(torch.get_rng_state(), random_numbers[2])


def test_scores_values_and_paths_are_those_of_the_parts(sets):
    model, batches = sets
    diagnosis = diagnose(model, batches)
    assert model.training  # as before
    assert model.get_all(reset=True) == {}  # nothing was logged
    x, truth = joined(batches, "x"), joined(batches, "labels").float().unsqueeze(1)
    y = torch.cat(predictions(model, batches)).unsqueeze(1)
    model.eval()
    with torch.no_grad():
        np.testing.assert_allclose(
            diagnosis.truth_scores, model.score_network(x, truth)[:, 0], rtol=1e-5, atol=1e-5
        )
        np.testing.assert_allclose(
            diagnosis.prediction_scores, model.score_network(x, y)[:, 0], rtol=1e-5, atol=1e-5
        )
    model.train()
    assert diagnosis.path.shape[1] == len(x)
    lengths = {len(model.inference.path(batch["x"])) for batch in batches}
    assert len(lengths) > 1 and len(diagnosis.path) == max(lengths)
    # The prediction is the last iterate; a batch that has converged before the others stays.
    np.testing.assert_allclose(
        diagnosis.path[-1], diagnosis.prediction_scores, rtol=1e-5, atol=1e-5
    )
    rounded = (y[:, 0] > float(model.decoder.threshold)).numpy()
    expected = f1_score(truth[:, 0].numpy() > 0, rounded, average=None, zero_division=0)
    np.testing.assert_allclose(diagnosis.labels.f1, expected)
    by_instance = [
        f1_score(row > 0, guess, zero_division=1)
        for row, guess in zip(truth[:, 0].numpy(), rounded, strict=True)
    ]
    np.testing.assert_allclose(diagnosis.oracle_values, by_instance, rtol=1e-6)


def test_the_curve_of_the_threshold_is_scikit_learn_s_at_each_candidate(sets):
    model, batches = sets
    (curve,) = diagnose(model, batches).decoder
    labels = joined(batches, "labels").numpy() > 0
    probabilities = torch.cat(predictions(model, batches)).numpy()
    np.testing.assert_allclose(curve.candidates, np.arange(1, 10) / 10)
    expected = [
        f1_score(labels, probabilities > np.float32(candidate), average="samples", zero_division=1)
        for candidate in curve.candidates
    ]
    np.testing.assert_allclose(curve.values, expected, rtol=1e-6)
    assert curve.metric == "example_f1" and curve.used == float(model.decoder.threshold)


def test_the_calibration_holds_the_truth_and_what_is_far_from_it(sets):
    model, batches = sets
    torch.manual_seed(1)
    calibration = diagnose(model, batches).calibration
    count = sum(len(batch["x"]) for batch in batches)
    assert calibration.predicted.shape == calibration.oracle.shape == (7 * count,)
    assert (calibration.oracle == 1).sum() >= count  # the truth itself
    assert calibration.oracle.min() < 0.5
    assert ((calibration.predicted >= 0) & (calibration.predicted <= 1)).all()


def test_tags_are_counted_without_padding(tmp_path):
    model, batches = model_and_batches(TAGS, tmp_path, write_conllu)
    assert any(not batch["mask"].all() for batch in batches)
    diagnosis = diagnose(model, batches)
    pairs = [
        (labels[mask], guess.argmax(-1)[mask])
        for batch, guess in zip(batches, predictions(model, batches), strict=True)
        for labels, mask in [(batch["labels"], batch["mask"])]
    ]
    true, guess = (torch.cat(each).numpy() for each in zip(*pairs, strict=True))
    number = model.vocab.get_vocab_size("labels")
    expected = f1_score(true, guess, average=None, labels=range(number), zero_division=0)
    np.testing.assert_allclose(diagnosis.labels.f1, expected)
    assert diagnosis.labels.true.sum() == len(true)
    confusion = confusion_matrix(true, guess, labels=range(number))
    np.testing.assert_allclose(diagnosis.confusion, confusion)
    for missing in ("truth_scores", "calibration", "path", "oracle_values"):
        assert getattr(diagnosis, missing) is None
    assert diagnosis.decoder == []


def test_the_types_of_spans_are_counted(tmp_path):
    snippet = TAGS.replace("conllu: true, token_column: 1, tag_column: 3", "encoding: 'BIO'")
    snippet = snippet.replace("'tag-accuracy'", "{type: 'span-f1', encoding: 'BIO'}")
    model, batches = model_and_batches(snippet, tmp_path, write_chunks)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for batch in 6 * batches:  # so that some spans are right
        optimizer.zero_grad()
        model.train()(**batch)["loss"].backward()
        optimizer.step()
    model.eval()
    names = [model.vocab.get_token_from_index(i, "labels") for i in range(5)]

    def spans(numbers):
        """Return the type of each span by its place; a span begins at a B, and after another tag
        than one of its own."""
        tags = [names[i] for i in numbers] + ["O"]
        found, at = {}, None
        for place, tag in enumerate(tags):
            if at is not None and tag != f"I-{tags[at][2:]}":
                found[at, place], at = tags[at][2:], None
            if tag != "O" and at is None:
                at = place
        return found

    counts = np.zeros((3, 3))
    types = ["NP", "VP"]
    for batch, guess in zip(batches, predictions(model, batches), strict=True):
        for labels, output, mask in zip(
            batch["labels"], guess.argmax(-1), batch["mask"], strict=True
        ):
            true, found = spans(labels[mask].tolist()), spans(output[mask].tolist())
            for place in true.keys() | found.keys():
                row, column = (
                    types.index(each[place]) if place in each else 2 for each in (true, found)
                )
                counts[row, column] += 1
    result = diagnose(model, batches).types
    assert result.types == types
    np.testing.assert_array_equal(result.confusion, counts)
    assert counts[0, 0] > 0 and counts[:, 2].sum() > 0 and counts[2].sum() > 0
    first, second = result.rows()
    assert first["type"] == "NP" and first["true"] == counts[0].sum() > second["true"]
    assert second["predicted"] == counts[:, 1].sum()
    assert second["precision"] == counts[1, 1] / counts[:, 1].sum()
    assert second["recall"] == counts[1, 1] / counts[1].sum()


def test_the_types_of_roles_are_those_of_scikit_learn(tmp_path):
    snippet = TAGS.replace("type: 'tagging-conll', conllu: true, ", "type: 'srl-conllu',")
    snippet = snippet.replace("token_column: 1, tag_column: 3", "").replace(
        "'tag-accuracy'", "'role-f1'"
    )
    model, batches = model_and_batches(snippet, tmp_path, write_conllu)
    names = [model.vocab.get_token_from_index(i, "labels") for i in range(3)]
    pairs = [
        (labels[mask], guess.argmax(-1)[mask])
        for batch, guess in zip(batches, predictions(model, batches), strict=True)
        for labels, mask in [(batch["labels"], batch["mask"])]
    ]
    true, guess = (
        [names[i] if names[i] == "ARG0" else "none" for i in torch.cat(each).tolist()]
        for each in zip(*pairs, strict=True)
    )
    expected = confusion_matrix(true, guess, labels=["ARG0", "none"])
    expected[1, 1] = 0  # places without a role in both are none
    result = diagnose(model, batches).types
    assert result.types == ["ARG0"]
    np.testing.assert_array_equal(result.confusion, expected)


def test_images_have_no_labels_but_a_threshold(tmp_path):
    model, batches = model_and_batches(IMAGES, tmp_path, write_images)
    diagnosis = diagnose(model, batches)
    assert diagnosis.labels is None
    truth = joined(batches, "labels").numpy() > 0
    probabilities = torch.cat(predictions(model, batches)).numpy()
    (curve,) = diagnosis.decoder
    for candidate, value in zip(curve.candidates, curve.values, strict=True):
        guess = probabilities > np.float32(candidate)
        shared, whole = (truth & guess).sum((1, 2)), (truth | guess).sum((1, 2))
        assert value == pytest.approx((shared / whole).mean(), rel=1e-5)


def test_labels_that_are_never_there_have_an_f1_of_0():
    counts = LabelCounts(np.array([2, 0, 0]), np.array([2, 1, 0]), np.array([1, 0, 0]))
    np.testing.assert_allclose(counts.f1, [0.5, 0, 0])


def test_batches_without_labels_raise(sets):
    model, batches = sets
    with pytest.raises(ValueError, match="Expected data with labels, got none in a batch"):
        diagnose(model, [{"x": batches[0]["x"]}])


def test_the_true_labels_of_a_taxonomy_have_their_ancestors():
    problem = make_test_problem(space="tree", dtype=torch.float32)
    feedforward = {"num_layers": 1, "hidden_dims": 4, "activations": "softplus"}
    encoder = {"type": "feedforward", "feedforward": feedforward}
    config = {
        "type": "structured-energy",
        "output_space": "hierarchical",
        "oracle_value": "per-instance-f1",
        "score_network": {"encoder": encoder, "structured_scores": ["taxonomy"]},
        "loss": "exact-likelihood",
        "sampler": "exact",
        "metrics": ["example-f1"],
    }
    model = Model.from_params(Params(config), vocab=problem.vocab)
    labels = torch.tensor([[False, True, False, False]]).expand(len(problem.labels), -1)
    mask = torch.tensor([[False, True, True, True]]).expand_as(labels)
    diagnosis = diagnose(model, [{"x": problem.x, "labels": labels, "mask": mask}])
    assert diagnosis.labels.true.tolist() == [3, 3, 0, 0]
    # Exact inference gives draws without a task network.
    configs = default_decoders(model)
    assert {"expected-f1-of-draws", "minimum-bayes-risk", "rerank"} < set(map(label_of, configs))
    for each in configs:
        build_decoder(model, each)
