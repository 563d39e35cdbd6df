"""The table of results, against scikit-learn's and scipy's own figures."""

import json
import statistics
import sys

import pytest
from scipy import stats

from experiments import results
from structured_energy.reporting import SEEDS

VALUES = {
    ("scene", "cross_entropy"): [0.70, 0.71, 0.705],
    ("scene", "better"): [0.731, 0.738, 0.735],
    ("scene", "noisy"): [0.60, 0.85, 0.75],
    ("yeast", "cross_entropy"): [0.60, 0.61],
    ("yeast", "worse"): [0.50, 0.511],
}


@pytest.fixture()
def runs(tmp_path):
    for (data_set, method), values in VALUES.items():
        for seed, value in enumerate(values):
            folder = tmp_path / data_set / method / f"seed_{seed}"
            folder.mkdir(parents=True)
            seeds = dict.fromkeys(SEEDS, seed)
            (folder / "config.json").write_text(json.dumps({**seeds, "model": method}))
            (folder / "metrics.json").write_text(json.dumps({"test_example_f1": value}))
    unfinished = tmp_path / "scene" / "better" / "seed_9"
    unfinished.mkdir()
    (unfinished / "config.json").write_text("{}")
    return tmp_path


def test_the_table(runs):
    header, rows = results.rows_of(results.read_runs(runs), "example_f1", "cross_entropy")
    assert header == ["method", "scene", "yeast"]
    table = {row[0]: row[1:] for row in rows}
    assert rows[0][0] == "cross_entropy"
    spread = statistics.stdev([70, 71, 70.5])
    assert table["cross_entropy"] == [f"70.50 ± {spread:.2f} (3)", "60.50 ± 0.71 (2)"]
    assert table["better"][0].endswith("(3) ▲") and table["better"][1] == ""
    assert table["noisy"][0].endswith("(3)")
    assert table["worse"] == ["", "50.55 ± 0.78 (2) ▼"]


@pytest.mark.parametrize("other", ["better", "noisy"])
def test_what_is_beyond_noise_is_what_the_paired_t_test_says(other):
    mine, base = VALUES["scene", other], VALUES["scene", "cross_entropy"]
    found = results.beyond_noise(dict(enumerate(mine)), dict(enumerate(base)))
    assert bool(found) == (stats.ttest_rel(mine, base).pvalue < 0.05)


def test_pairs_are_of_the_same_seed():
    base = {0: 10.0, 1: 50.0, 2: 90.0}
    assert results.beyond_noise({2: 91.1, 0: 11.0, 1: 51.05}, base) == 1
    assert results.beyond_noise({0: 91.1, 1: 51.05, 2: 11.0}, base) == 0
    assert results.beyond_noise({7: 1.0, 0: 11.0}, base) is None


def test_markdown_and_csv(runs, capsys, monkeypatch):
    for form in ("markdown", "csv", "console"):
        arguments = ["--runs", str(runs), "--metrics", "example_f1", "--format", form]
        monkeypatch.setattr(sys, "argv", ["results.py", *arguments])
        results.main()
        text = capsys.readouterr().out
        if form == "csv":
            lines = text.splitlines()
            assert lines[0] == "data_set,method,seed,config,example_f1,folder"
            assert len(lines) == 1 + sum(map(len, VALUES.values()))
            assert "scene,better,1," in text and ",0.738000," in text
        else:
            assert "70.50 ± 0.50 (3)" in text


def test_runs_that_do_not_belong_together_are_named(runs):
    config = runs / "yeast" / "worse" / "seed_1" / "config.json"
    changed = json.loads(config.read_text())
    config.write_text(json.dumps({**changed, "model": "another"}))
    with pytest.raises(ValueError, match="one config for all seeds of yeast/worse, got 2"):
        results.read_runs(runs)
    config.write_text(json.dumps({**changed, "random_seed": 5}))
    with pytest.raises(ValueError, match="worse/seed_1: expected the run of the seed"):
        results.read_runs(runs)


def test_a_metric_that_the_runs_do_not_have_is_named(runs):
    with pytest.raises(ValueError, match="test metric 'f2', got .'example_f1'.; choose"):
        results.rows_of(results.read_runs(runs), "f2", "cross_entropy")


@pytest.fixture()
def tagger(runs):
    folder = runs / "twpos" / "crf" / "seed_0"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(dict.fromkeys(SEEDS, 0)))
    (folder / "metrics.json").write_text(json.dumps({"test_tag_accuracy": 0.9}))
    return runs


def test_a_table_has_the_data_sets_that_report_its_metric(tagger, capsys, monkeypatch):
    runs = results.read_runs(tagger)
    header, rows = results.rows_of(runs, "tag_accuracy", "cross_entropy")
    assert (header, rows) == (["method", "twpos"], [["crf", "90.00 (1)"]])
    header, rows = results.rows_of(runs, "example_f1", "cross_entropy")
    assert header == ["method", "scene", "yeast"] and "crf" not in {row[0] for row in rows}
    monkeypatch.setattr(sys, "argv", ["results.py", "--runs", str(tagger), "--format", "csv"])
    results.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "data_set,method,seed,config,example_f1,tag_accuracy,folder"
    tagged = next(line for line in lines if line.startswith("twpos"))
    assert tagged.split(",")[4:6] == ["", "0.900000"]


def test_a_run_without_the_metric_of_its_data_set_is_named(tagger):
    metrics = tagger / "scene" / "noisy" / "seed_2" / "metrics.json"
    metrics.write_text("{}")
    with pytest.raises(ValueError, match="noisy/seed_2/metrics.json: expected the test metric"):
        results.rows_of(results.read_runs(tagger), "example_f1", "cross_entropy")


def test_no_runs_are_named(tmp_path):
    with pytest.raises(ValueError, match="got none; train some with"):
        results.read_runs(tmp_path)
