"""Names of values in configs are checked before the first epoch."""

import json

import pytest
from allennlp.common.checks import ConfigurationError
from killing import MODEL

from structured_energy.testing import data_config, train_snippet


def train(tmp_path, trainer, **over):
    over = {"evaluate_on_test": False, "trainer": {"num_epochs": 1, **trainer}, **over}
    return train_snippet(MODEL, tmp_path, over)


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"validation_metric": "+exampel_f1"}, "'loss.value'.* got 'exampel_f1'; .*'example_f1'?"),
        ({"validation_metric": ["+example_f1", "-los"]}, "got 'los'; did you mean 'loss'?"),
        ({"validation_metric": "+zzz"}, r"validation_metric of the trainer .* got 'zzz'\.$"),
        (
            {"callbacks": [{"type": "tree-to-csv", "keys": ["loss.*", "loss.valu"]}]},
            "keys of the callback TreeToCsvCallback .*did you mean 'loss.value'",
        ),
    ],
    ids=str,
)
def test_unknown_names_are_refused_before_the_first_epoch(tmp_path, trainer, message):
    with pytest.raises(ConfigurationError, match=message):
        train(tmp_path, trainer)
    assert not (tmp_path / "run" / "metrics_epoch_0.json").exists()


@pytest.mark.parametrize(
    "metric",
    [
        "+decoder.threshold",
        "-loss",
        "-sampler.loss.oracle_cost",
        ["+example_f1", "-hamming_loss", "-loss.value"],
        ["+iou", "+iou_global"],
    ],
    ids=str,
)
def test_every_value_of_the_validation_can_be_the_validation_metric(tmp_path, metric):
    metrics = ["example-f1", "hamming-loss", "iou"]
    train(tmp_path, {"validation_metric": metric}, model={"metrics": metrics})
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["best_epoch"] == 0


def test_reduce_on_plateau_needs_validation_data(tmp_path):
    settings = {"task_network": {"learning_rate_scheduler": {"type": "reduce_on_plateau"}}}
    assert "validation_data_path" in data_config(tmp_path / "data")
    with pytest.raises(ConfigurationError, match="'reduce_on_plateau' of task_network"):
        train(tmp_path, {"networks": settings}, validation_data_path=None)
    assert not (tmp_path / "run" / "metrics_epoch_0.json").exists()
