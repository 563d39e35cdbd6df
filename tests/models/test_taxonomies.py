"""A run on data with a taxonomy: predictions are closed and have paths."""

import copy
import json

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from structured_energy.configs import config_of
from structured_energy.taxonomy import Taxonomy
from structured_energy.testing import make_test_problem, write_hierarchy

FEEDFORWARD = {"num_layers": 1, "hidden_dims": 4, "activations": "softplus"}
NETWORK = {"encoder": {"type": "feedforward", "feedforward": FEEDFORWARD}}


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


SCORE = {**NETWORK, "structured_scores": ["taxonomy"]}
MODELS = {
    "cross-entropy": {
        "task_network": NETWORK,
        "sampler": {"type": "inference-network", "loss": "cross-entropy"},
    },
    "exact-likelihood": {"score_network": SCORE, "loss": "exact-likelihood", "sampler": "exact"},
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("parent", ["off", "unknown"])
def test_a_label_that_is_on_has_its_ancestors(name, parent):
    problem = make_test_problem(space="tree", dtype=torch.float32)
    config = {
        "type": "structured-energy",
        "output_space": "hierarchical",
        "metrics": ["example-f1"],
        **copy.deepcopy(MODELS[name]),
    }
    model = Model.from_params(Params(config), vocab=problem.vocab)
    labels = torch.tensor([[False, True, False, False]]).expand(len(problem.labels), -1)
    closed = labels | torch.tensor([True, False, False, False])
    known = torch.ones_like(labels)
    mask = known.clone()
    mask[:, 0] = parent != "unknown"
    model.eval()
    values = []
    for truth, which in ((labels, mask), (closed, known)):
        loss = model(problem.x, truth, which)["loss"]
        values.append((loss, *model.get_metrics(reset=True).values()))
    assert values[0] == values[1] and values[0][0] > 0
