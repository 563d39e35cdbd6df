"""Approximate inference beside Viterbi's algorithm, on a small trained chain."""

import sys

import pytest
import torch
from shipped import config_of

from benchmarks import tagging_costs
from benchmarks.common import ROOT
from experiments import chain_error
from structured_energy.sweeps import train_config
from structured_energy.testing import write_conllu


@pytest.mark.parametrize("method", ["crf", "inference_network"])
def test_nothing_is_better_than_viterbi_s(method, tmp_path, monkeypatch, capsys):
    path = ROOT / "training_configs" / "tagging" / "twpos" / f"{method}.jsonnet"
    config = config_of(path)
    for part, rows in (("train", 20), ("validation", 8), ("test", 40)):
        config[f"{part}_data_path"] = str(write_conllu(tmp_path, part, rows, seed=rows))
    config["dataset_reader"].update(token_column=1, tag_column=3)
    config["trainer"]["num_epochs"] = 2
    metrics = train_config(config, tmp_path / "run")
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
    check_costs(method, tmp_path / "run", monkeypatch, capsys)


def check_costs(method, run, monkeypatch, capsys):
    """What a trained tagger costs."""
    weights = torch.load(run / "best.th", weights_only=True)
    count = {
        part: sum(value.numel() for key, value in weights.items() if part in key)
        for part in ("", "task_network", "score_network")
    }
    asked = "score_network" if method == "crf" else "task_network"
    monkeypatch.setattr(sys, "argv", ["tagging_costs.py", str(run), "--repeats", "1"])
    monkeypatch.setenv("COLUMNS", "200")
    tagging_costs.main()
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "0:00:" in line]
    _, _, every, to_tag, _, speed, _ = (cell.strip().replace(",", "") for cell in row.split("│"))
    assert 0 < count[asked] == int(to_tag) <= int(every) <= count[""]
    assert int(speed) > 0
