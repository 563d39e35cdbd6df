"""Approximate inference beside Viterbi's algorithm, on a small trained chain."""

import json
import sys
from pathlib import Path

import _jsonnet
import pytest

from structured_energy.testing import write_conllu

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import chain_error
from experiments import ROOT, metric_of, train


@pytest.mark.parametrize("method", ["crf", "inference_network"])
def test_nothing_is_better_than_viterbi_s(method, tmp_path, monkeypatch, capsys):
    path = ROOT / "training_configs" / "tagging" / "twpos" / f"{method}.jsonnet"
    config = json.loads(_jsonnet.evaluate_file(str(path)))
    for part, rows in (("train", 20), ("validation", 8), ("test", 40)):
        config[f"{part}_data_path"] = str(write_conllu(tmp_path, part, rows, seed=rows))
    config["dataset_reader"].update(token_column=1, tag_column=3)
    config["trainer"]["num_epochs"] = 2
    metrics = train(config, tmp_path / "run")
    assert metric_of(config) == "tag_accuracy"  # the training left the config as it was
    figures = chain_error.figures_of(tmp_path / "run", repeats=1)
    exact = figures.pop("Viterbi")
    assert exact.missing == pytest.approx(0, abs=1e-5) and exact.found == 1
    own = exact if method == "crf" else figures["task network"]
    assert own.accuracy == pytest.approx(metrics["test_tag_accuracy"])
    assert ("task network" in figures) == (method == "inference_network")
    for row in figures.values():
        assert row.missing >= -1e-5 and 0 <= row.found <= 1 and row.sentences_a_second > 0
    assert figures["gradient, 60 steps"].missing <= figures["gradient, 5 steps"].missing + 1e-5
    assert figures["gibbs-with-gradients, 60 steps"].missing > 0
    monkeypatch.setattr(sys, "argv", ["chain_error.py", str(tmp_path / "run"), "--repeats", "1"])
    chain_error.main()
    assert "Viterbi" in capsys.readouterr().out
