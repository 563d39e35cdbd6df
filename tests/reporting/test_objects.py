"""The tree, the metrics and the plots of a run as objects, against its files."""

import json
import sys
import types

import pytest
from matplotlib.figure import Figure

from structured_energy.predictors import StructuredEnergyPredictor
from structured_energy.reporting import (
    Run,
    as_frame,
    history_of_run,
    load_data,
    load_model,
    metrics_of_run,
    plots_of_run,
    tree_of_run,
    write_plots,
)
from structured_energy.testing import train_snippet, write_conllu

FEEDFORWARD = "{num_layers: 1, hidden_dims: 4, activations: 'softplus'}"
SETS = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    sampler: {{type: 'inference-network', loss: 'cross-entropy'}},
    metrics: ['example-f1'],
  }},
  trainer: {{
    type: 'minimax', num_epochs: 3, optimizer: {{type: 'adamw', lr: 0.05}},
    validation_metric: '+example_f1',
  }},
}}"""
TAGS = """{
  dataset_reader: { type: 'tagging-conll', conllu: true, token_column: 1, tag_column: 3 },
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
  data_loader: { type: 'multiprocess' },
  validation_data_loader: { batch_size: 4 },
  trainer: { type: 'minimax', num_epochs: 1, optimizer: { type: 'adam', lr: 0.01 } },
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    train_snippet(SETS, folder, {"test_data_path": None})
    return folder / "run"


def epochs(folder):
    return [json.loads((folder / f"metrics_epoch_{n}.json").read_text()) for n in range(3)]


def test_metrics(folder):
    run = Run.read(folder)
    best = epochs(folder)[run.best_epoch]
    rows = {row["metric"]: row for row in metrics_of_run(run)}
    assert rows.keys() >= {"loss", "example_f1"} and not any("." in name for name in rows)
    assert rows["example_f1"]["validation"] == best["validation_example_f1"]
    assert rows["loss"]["training"] == best["training_loss"] and rows["loss"]["test"] is None


def test_the_tree(folder):
    run = Run.read(folder)
    best, last = epochs(folder)[run.best_epoch], epochs(folder)[-1]
    rows = {row["name"]: row for row in tree_of_run(run)}
    assert rows.keys() == run.curves.keys()
    row = rows["sampler.loss.value"]
    assert (row["node"], row["value"]) == ("sampler.loss", "value")
    for part in ("training", "validation"):
        assert row[part] == best[f"{part}_sampler.loss.value"]
        assert row[f"last_{part}"] == last[f"{part}_sampler.loss.value"]


def test_the_history(folder):
    rows = history_of_run(Run.read(folder))
    for epoch, metrics in enumerate(epochs(folder)):
        (row,) = (
            r for r in rows if (r["epoch"], r["part"], r["name"]) == (epoch, "training", "loss")
        )
        assert row["value"] == metrics["training_loss"]


def test_frames_where_pandas_is_installed(monkeypatch):
    rows = [{"metric": "loss", "test": 1.0}]
    pandas = types.ModuleType("pandas")
    pandas.DataFrame = lambda content: ("frame", content)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert as_frame(rows) == ("frame", rows)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert as_frame(rows) == rows


def test_plots_are_figures_and_write_nothing(folder):
    before = sorted(folder.rglob("*"))
    model = load_model(folder)
    assert list(plots_of_run(folder)) == ["curves"]
    figures = plots_of_run(folder, model, load_data(folder, model.vocab))
    assert {"curves", "labels"} <= figures.keys()
    assert all(isinstance(figure, Figure) for figure in figures.values())
    assert sorted(folder.rglob("*")) == before
    written = write_plots(folder, model, load_data(folder, model.vocab))
    assert {path.stem for path in written} == figures.keys()


def test_probabilities_of_tags_by_token(tmp_path):
    paths = {
        f"{part}_data_path": str(write_conllu(tmp_path, part, 8, seed=len(part)))
        for part in ("train", "validation")
    }
    train_snippet(TAGS, tmp_path, {**paths, "test_data_path": None})
    predictor = StructuredEnergyPredictor.from_path(str(tmp_path / "run" / "model.tar.gz"))
    prediction = predictor.predict_json({"tokens": ["a", "b", "c"]})
    assert len(prediction["label_probabilities"]) == 3
    for tag, row in zip(prediction["labels"], prediction["label_probabilities"], strict=True):
        assert next(iter(row)) == tag and sum(row.values()) == pytest.approx(1, abs=1e-5)
