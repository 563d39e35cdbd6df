"""A run on data with a taxonomy: predictions are closed and have paths."""

import json

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from structured_energy.configs import config_of
from structured_energy.taxonomy import Taxonomy
from structured_energy.testing import write_hierarchy


def trained(folder, method, **keys):
    data = {
        part: str(write_hierarchy(folder, part, rows, seed=rows))
        for part, rows in (("train", 40), ("validation", 20))
    }
    config = config_of(
        "hierarchical", method, {**data, "hidden": [8], "num_epochs": 2, "patience": None, **keys}
    )
    train_model(Params(json.loads(json.dumps(config))), str(folder / "run"))
    return load_archive(folder / "run" / "model.tar.gz")


@pytest.mark.parametrize(
    ("method", "keys"),
    [("cross_entropy", {"decoder": "per-label"}), ("cross_entropy_max", {}), ("crf", {})],
)
def test_predictions_are_closed_and_have_paths(tmp_path, method, keys):
    archive = trained(tmp_path, method, **keys)
    taxonomy = Taxonomy.of_vocabulary(archive.model.vocab)
    predictor = Predictor.from_archive(archive)
    lines = [
        {"features": {f"feature_{i}": float(number * (i - 2)) for i in range(5)}}
        for number in range(-6, 7)
    ]
    predictions = predictor.predict_batch_json(lines)
    assert any(prediction["labels"] for prediction in predictions)
    for prediction in predictions:
        on = [taxonomy.places[name] for name in prediction["labels"]]
        assert sorted(on) == taxonomy.close(on).tolist()
        inner = {parent for place in on for parent in taxonomy.parents[place]}
        specific = [taxonomy.path(place) for place in on if place not in inner]
        assert sorted(prediction["paths"]) == sorted(specific)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["best_validation_violations"] == 0.0
