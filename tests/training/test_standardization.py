"""Standardised features: against scikit-learn, in one and two processes, recovered, saved."""

import copy
import json
import logging

import killing
import numpy as np
import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.models import Model, load_archive
from allennlp.predictors import Predictor
from forked_command import allennlp
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from structured_energy.data import TableReader, TensorDataLoader, write_table
from structured_energy.feature_scaling import FeatureScaling, statistics
from structured_energy.models.standardization import fit_scaling, warnings_of

NAMES = ["small", "large", "shifted", "binary", "counts", "constant", "empty"]
FEEDFORWARD = {"num_layers": 1, "hidden_dims": 6, "activations": "relu"}
ENCODER = {"type": "feedforward", "feedforward": FEEDFORWARD}


def table(rows=40, seed=0):
    """Columns of many scales, one with missing values."""
    random = np.random.default_rng(seed)
    large = random.normal(0, 237, rows)
    x = np.column_stack(
        [
            random.normal(0.3, 0.02, rows),
            large,
            random.normal(1e3, 1, rows),
            random.integers(0, 2, rows),
            random.poisson(0.3, rows) * 40,
            np.full(rows, 7.0),
            np.zeros(rows),
        ]
    ).astype(np.float32)
    x[1, 1] = x[5, 1] = np.nan
    return x, np.column_stack([large > 0, x[:, 3] > 0]).astype(int)


def config(folder, rows=40, trainer="minimax", **model):
    for name, seed in (("train", 0), ("validation", 1)):
        write_table(folder / f"{name}.npz", *table(rows, seed), NAMES, ["a", "b"])
    return {
        "dataset_reader": "table",
        "train_data_path": str(folder / "train.npz"),
        "validation_data_path": str(folder / "validation.npz"),
        "data_loader": {"type": "tensor", "batch_size": 8, "shuffle": True},
        "model": {
            "type": "structured-energy",
            "output_space": "binary",
            "task_network": {"encoder": ENCODER},
            "score_network": {"encoder": ENCODER},
            "sampler": {"type": "inference-network", "loss": "cross-entropy"},
            "metrics": ["micro-f1"],
            **model,
        },
        "trainer": {"type": trainer, "num_epochs": 2, "optimizer": "adam"},
    }


def scalings(model):
    return [part for part in model.modules() if isinstance(part, FeatureScaling)]


def expected(x, rows):
    """What scikit-learn makes of columns that are dense, and what we say of the others."""
    scaled = StandardScaler().fit(x.astype(np.float64)).transform(rows.astype(np.float64))
    scaled[:, 3] = rows[:, 3]  # zeros and ones
    counts = x[:, 4].astype(np.float64)
    scaled[:, 4] = rows[:, 4] / np.sqrt((counts[counts != 0] ** 2).mean())
    return np.nan_to_num(scaled)  # a missing value becomes the mean, which is 0


def check(model, x=None):
    x = table()[0] if x is None else x
    parts = scalings(model)
    assert len(parts) == 1 + (model.score_network is not None)
    for part in parts:
        assert part.is_fitted
        found = part(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(found, expected(x, x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("trainer", ["minimax", "gradient_descent"])
@pytest.mark.parametrize("loader", ["tensor", "multiprocess", "lazy"])
def test_the_scaling_is_that_of_scikit_learn(tmp_path, trainer, loader):
    settings = config(tmp_path, trainer=trainer)
    if loader != "tensor":
        lazily = {"max_instances_in_memory": 16} if loader == "lazy" else {}
        settings["data_loader"] = {"type": "multiprocess", "batch_size": 8, **lazily}
    model = train_model(Params(settings), str(tmp_path / "run"))
    check(model)
    check(load_archive(tmp_path / "run" / "model.tar.gz").model)


def test_a_column_that_is_mostly_zero_keeps_its_zeros():
    x = np.zeros((10, 2), dtype=np.float32)
    x[:3, 0] = x[5:, 1] = 8
    rows, places = np.nonzero(x)
    scaling = FeatureScaling(2)
    scaling.fit(statistics(10, places, x[rows, places], 2), standardize=True)
    np.testing.assert_allclose(scaling(torch.from_numpy(x)), MaxAbsScaler().fit_transform(x))


def test_changes_in_place_of_features_and_of_the_scaling_are_followed():
    x = torch.rand(4, 3)
    scaling = FeatureScaling(3)
    assert scaling(x) is x
    scaling.shift.add_(1)
    torch.testing.assert_close(scaling(x), x - 1)
    scaling.scale[1] = 5
    torch.testing.assert_close(scaling(x), (x - 1) * torch.tensor([1.0, 5.0, 1.0]))
    assert scaling(x) is scaling(x)  # for all steps on a batch
    x[0, 0] = torch.nan
    scaling.fill.fill_(2)
    assert scaling(x)[0, 0] == 1
    scaling.fill.fill_(4)
    assert scaling(x)[0, 0] == 3
    scaling.shift.zero_()
    scaling.scale.fill_(1)
    assert scaling(x)[0, 0] == 4 and torch.equal(scaling(x)[1:], x[1:])
    copied = copy.deepcopy(scaling)
    assert copied._last is None and torch.equal(copied(x), scaling(x))
    with torch.inference_mode():
        scaling(x.clone())
        features = torch.rand(2, 3)
    in_training = torch.rand(2, 3)
    with torch.inference_mode():
        scaling(in_training)
        scaling(features)
    assert not scaling(in_training).is_inference()


@pytest.mark.parametrize("seed", range(5))
def test_dense_columns_of_any_scale_get_mean_0_and_variance_1(seed):
    random = np.random.default_rng(seed)
    scales = 10.0 ** random.uniform(-6, 6, 30)
    x = (random.normal(random.uniform(-5, 5, 30), 1, (100, 30)) * scales).astype(np.float32)
    rows, places = np.nonzero(x)
    scaling = FeatureScaling(30)
    scaling.fit(statistics(100, places, x[rows, places], 30), standardize=True)
    reference = StandardScaler().fit_transform(x.astype(np.float64))
    np.testing.assert_allclose(scaling(torch.from_numpy(x)), reference, rtol=1e-4, atol=1e-4)


def test_without_it_only_missing_values_are_filled(tmp_path):
    model = train_model(Params(config(tmp_path, standardize=False)), str(tmp_path / "run"))
    x = table()[0]
    filled = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    for part in scalings(model):
        np.testing.assert_allclose(part(torch.from_numpy(x)), filled, rtol=1e-5)
        whole = torch.from_numpy(np.nan_to_num(x))
        assert torch.equal(part(whole), whole)  # bit for bit


@pytest.mark.parametrize("trainer", ["minimax", "gradient_descent"])
def test_two_processes_fit_what_one_does(tmp_path, trainer):
    settings = config(tmp_path, rows=41, trainer=trainer)
    if trainer == "gradient_descent":  # whose wrapper wants gradients of all weights
        del settings["model"]["score_network"]
    settings["distributed"] = {"cuda_devices": [-1, -1]}
    for loader in ("tensor", "multiprocess"):
        settings["data_loader"] = {"type": loader, "batch_size": 8}
        folder = tmp_path / loader
        status, output = killing.forked(
            lambda settings=settings, folder=folder: train_model(Params(settings), str(folder)),
            folder,
            timeout=120,
        )
        assert status == 0, output[-3000:]
        check(load_archive(folder / "model.tar.gz").model, table(41)[0])


def test_a_recovered_run_and_a_model_trained_further_keep_their_scaling(tmp_path):
    settings = config(tmp_path)
    folder = tmp_path / "run"
    train_model(Params(json.loads(json.dumps(settings))), str(folder))
    # Data that would give another scaling.
    x, y = table()
    write_table(tmp_path / "train.npz", 10 * x, y, NAMES, ["a", "b"])
    longer = json.loads(json.dumps(settings))
    longer["trainer"]["num_epochs"] = 3
    check(train_model(Params(longer), str(folder), recover=True))
    settings["model"] = {"type": "from_archive", "archive_file": str(folder / "model.tar.gz")}
    check(train_model(Params(settings), str(tmp_path / "further")))


def test_find_lr_fits_it_too(tmp_path):
    path = tmp_path / "config.json"
    settings = config(tmp_path)
    path.write_text(json.dumps(settings))
    arguments = ["--num-batches", "12", "--include-package", "structured_energy"]
    done = allennlp("find-lr", path, "-s", tmp_path / "lr", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "the same value of 'constant', 'empty'" in done.stdout + done.stderr


def test_predictions_are_of_raw_values(tmp_path):
    train_model(Params(config(tmp_path)), str(tmp_path / "run"))
    archive = load_archive(tmp_path / "run" / "model.tar.gz")
    predictor = Predictor.from_archive(archive)
    x = table(seed=1)[0]
    lines = [{name: float(v) for name, v in zip(NAMES, row, strict=True)} for row in x[:3]]
    by_line = [predictor.predict_json(line)["probabilities"] for line in lines]
    instances = list(predictor._dataset_reader.read(str(tmp_path / "validation.npz")))
    by_file = [predictor.predict_instance(each)["probabilities"] for each in instances[:3]]
    np.testing.assert_allclose(by_line, by_file, rtol=1e-5)
    network = archive.model.task_network.encoder
    scaled = torch.from_numpy(expected(table()[0], x[:3])).float()
    with torch.no_grad():
        np.testing.assert_allclose(
            network(torch.from_numpy(x[:3])), network.feedforward(scaled), rtol=1e-3, atol=1e-4
        )


def test_weights_of_an_earlier_version_take_features_as_they_are(tmp_path):
    settings = config(tmp_path)
    x = np.nan_to_num(table()[0])
    vocab = Vocabulary.from_instances(list(TableReader().read(settings["train_data_path"])))
    models = [
        Model.from_params(Params(json.loads(json.dumps(settings["model"]))), vocab=vocab)
        for _ in range(2)
    ]
    state = {k: v for k, v in models[0].state_dict().items() if ".scaling." not in k}
    models[1].load_state_dict(state)
    loader = TensorDataLoader(TableReader(), settings["train_data_path"], 8)
    loader.index_with(vocab)
    models[1].prepare(loader)  # fitted already
    for part in scalings(models[1]):
        assert torch.equal(part(torch.from_numpy(x)), torch.from_numpy(x))
    del state["task_network.encoder.feedforward._linear_layers.0.bias"]
    with pytest.raises(RuntimeError, match="Missing key"):
        models[1].load_state_dict(state)


def test_the_fit_draws_no_random_numbers_and_leaves_the_loader_as_it_is(tmp_path):
    settings = config(tmp_path)
    reader = TableReader()
    vocab = Vocabulary.from_instances(list(reader.read(settings["train_data_path"])))
    for loader in (
        TensorDataLoader(reader, settings["train_data_path"], 8, batches_per_epoch=2),
        MultiProcessDataLoader(reader, settings["train_data_path"], batch_size=8),
    ):
        loader.index_with(vocab)
        model = torch.nn.ModuleList([FeatureScaling(len(NAMES))])
        before = torch.get_rng_state(), np.random.get_state()[1].tolist()
        fit_scaling(model, vocab, loader, standardize=True)
        assert torch.equal(before[0], torch.get_rng_state())
        assert before[1] == np.random.get_state()[1].tolist()
        found = next(iter(loader))["x"]
        np.testing.assert_array_equal(found, table()[0][:8])


def test_columns_that_look_wrong_are_named(tmp_path, caplog):
    x = table()[0].astype(np.float64)
    x[:, 6] = np.nan
    x[3, 1] = 4e6
    rows, places = np.nonzero(x)
    found = statistics(len(x), places, x[rows, places], len(NAMES))
    empty, constant, huge = warnings_of(found, NAMES, standardize=True)
    assert empty == "Features: no row of the training data has a value of 'empty'; leave it out."
    assert "the same value of 'constant';" in constant
    assert "1,000,000 and more in 'large'" in huge
    *_, spread = warnings_of(found, NAMES, standardize=False)
    assert "standard deviations from" in spread and "'standardize'" in spread
    many = statistics(3, np.zeros(0, dtype=int), np.zeros(0), 9)
    assert warnings_of(many, [str(i) for i in range(9)], True) == []  # sparse data
    with caplog.at_level(logging.WARNING):
        scaling = torch.nn.ModuleList([FeatureScaling(len(NAMES))])
        loader = TensorDataLoader(TableReader(), config(tmp_path)["train_data_path"], 8)
        vocab = Vocabulary.from_instances(loader.iter_instances())
        fit_scaling(scaling, vocab, loader, standardize=True)
    assert "training data have the same value of 'constant', 'empty'" in caplog.text
