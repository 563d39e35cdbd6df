"""Fine-tuning a transformer: a tiny one, made from a config on disk, without a download."""

import copy
import json
from pathlib import Path

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from shipped import config_of
from tiny_transformer import write_transformer
from transformers import BertModel

from structured_energy.testing import write_conllu

CONFIG = Path(__file__).resolve().parents[2] / "training_configs/tagging/twpos"
PIECES = ["dog", "she", "see", "##s", "re", "##d"]


@pytest.fixture()
def transformer(tmp_path):
    """The folder of a BERT of two layers; 'sees' and 'red' are two word pieces, 'runs' is none."""
    return write_transformer(tmp_path / "tiny", PIECES)


@pytest.mark.parametrize("method", ["inference_network", "crf"])
def test_a_transformer_is_fine_tuned_through_the_same_config(method, transformer, tmp_path):
    config = config_of(CONFIG / f"{method}.jsonnet")
    for part, rows in (("train", 24), ("validation", 8), ("test", 8)):
        config[f"{part}_data_path"] = str(write_conllu(tmp_path, part, rows, seed=rows))
    mismatched = {"type": "pretrained_transformer_mismatched", "model_name": transformer}
    config["dataset_reader"].update(
        token_column=1, tag_column=3, token_indexers={"tokens": mismatched}
    )
    networks = [name for name in ("task_network", "score_network") if name in config["model"]]
    for network in networks:
        embedder = {"token_embedders": {"tokens": dict(mismatched)}}
        config["model"][network]["encoder"] = {"type": "tokens", "embedder": embedder}
    config["trainer"].update(num_epochs=15, patience=None)
    model = train_model(Params(copy.deepcopy(config)), str(tmp_path / "run"))
    before = BertModel.from_pretrained(transformer).state_dict()
    for network in networks:
        name = f"{network}.encoder.embedder.token_embedder_tokens._matched_embedder"
        after = {
            key: value
            for key, value in model.state_dict().items()
            if key.startswith(f"{name}.transformer_model.encoder.layer.0")
        }
        changed = [
            key
            for key, value in after.items()
            if not torch.equal(value, before[key.removeprefix(f"{name}.transformer_model.")])
        ]
        assert len(changed) == len(after) > 0  # it is fine-tuned down to its first layer
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test_tag_accuracy"] > 0.9  # the words decide the tags
    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    prediction = predictor.predict_json({"sentence": "she sees the red dog"})
    assert prediction["tokens"] == ["she", "sees", "the", "red", "dog"]
    assert len(prediction["labels"]) == 5 and prediction["labels"][0] == "PRON"
