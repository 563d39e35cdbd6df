"""Tables of results, against the statistics of Python and scipy."""

import csv
import io
import json
import statistics

import pytest
from forked_command import allennlp
from scipy import stats

from structured_energy.reporting import Run, find_runs, render, run_rows, tables_of_results
from structured_energy.reporting.results import beyond_noise, data_names
from structured_energy.reporting.run import SEEDS

VALUES = {
    ("scene", "cross_entropy"): [0.70, 0.71, 0.705],
    ("scene", "better"): [0.731, 0.738, 0.735],
    ("scene", "noisy"): [0.60, 0.85, 0.75],
    ("yeast", "cross_entropy"): [0.60, 0.61],
    ("yeast", "worse"): [0.50, 0.511],
}


@pytest.fixture()
def folder(tmp_path):
    for (data_set, method), values in VALUES.items():
        for seed, value in enumerate(values):
            run = tmp_path / data_set / method / f"seed_{seed}"
            run.mkdir(parents=True)
            model = {"name": method, "metrics": ["example-f1", "hamming-loss"]}
            config = {**dict.fromkeys(SEEDS, seed), "model": model}
            config["test_data_path"] = f"data://{data_set}/test"
            (run / "config.json").write_text(json.dumps(config))
            metrics = {"test_example_f1": value, "test_loss": 2 * value}
            if data_set == "scene":
                metrics["test_hamming_loss"] = 1 - value
            (run / "metrics.json").write_text(json.dumps(metrics))
    return tmp_path


def read(folder):
    return [Run.read(path) for path in find_runs([folder])]


def texts(table):
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def test_a_table_for_each_metric_of_several_data_sets(folder):
    f1, hamming = tables_of_results(read(folder), "test", baseline="cross_entropy")
    assert f1.header == ["method", "scene", "yeast"] and f1.rows[0][0].text == "cross_entropy"
    table = texts(f1)
    for (data_set, method), values in VALUES.items():
        cell = table[method][["scene", "yeast"].index(data_set)]
        percent = [100 * value for value in values]
        mean, deviation = statistics.mean(percent), statistics.stdev(percent)
        assert cell.startswith(f"{mean:.2f} ± {deviation:.2f} ({len(values)})")
    assert table["better"] == ["73.47 ± 0.35 (3) ▲", ""]
    assert table["noisy"][0][-1] == ")" and table["worse"][1][-1] == "▼"
    bold = {row[0].text for row in f1.rows for cell in row[1:2] if cell.bold}
    assert bold == {"better"}
    assert hamming.header == ["method", "scene"] and "worse" not in texts(hamming)
    assert {row[0].text for row in hamming.rows if row[1].bold} == {"better"}  # the lowest


def test_one_table_for_one_data_set(folder):
    (table,) = tables_of_results(read(folder / "scene"), "test", ["example_f1", "loss"])
    assert table.header == ["method", "example_f1, %", "loss"]
    assert texts(table)["better"][1] == "1.469 ± 0.007024 (3)"
    assert "\\begin{tabular}" in render(table, "latex")


def test_the_interval_is_that_of_scipy():
    for method in ("better", "noisy"):
        pair = VALUES["scene", method], VALUES["scene", "cross_entropy"]
        p = stats.ttest_rel(*pair).pvalue
        values, baseline = (dict(enumerate(each)) for each in pair)
        assert (beyond_noise(values, baseline) != 0) == (p < 0.05)
    assert beyond_noise({"0": 1.0}, {"0": 2.0}) is None
    assert beyond_noise({"0": 1.0, "1": 2.0}, {"2": 1.0}) is None


def test_names_of_data():
    assert data_names(["data://a/x[:9%]", "b/c.csv"]) == {"data://a/x[:9%]": "a", "b/c.csv": "c"}
    same = ["b/test.csv", "c/test.csv"]
    assert data_names(same) == {path: path for path in same}


def test_errors(folder):
    with pytest.raises(ValueError, match="baseline to be one of"):
        tables_of_results(read(folder), "test", baseline="none")
    with pytest.raises(ValueError, match="got 'f1'"):
        tables_of_results(read(folder), "test", ["f1"])
    with pytest.raises(ValueError, match="--metric"):
        run_rows(read(folder), "validation")


def test_the_command(folder):
    flags = ["--include-package", "structured_energy"]
    result = allennlp("results", folder, "--format", "csv", *flags, cwd=folder)
    assert result.returncode == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == sum(map(len, VALUES.values()))
    for row in rows:
        assert float(row["example_f1"]) == VALUES[row["data set"], row["method"]][int(row["seed"])]
    result = allennlp("results", folder, "--metric", "loss", *flags, cwd=folder)
    assert "loss, test data" in result.stdout and "1.41" in result.stdout


def test_metrics_of_the_first_k_are_found_by_their_names(tmp_path):
    metrics = ["label-f1", "precision-at-k", {"type": "precision-at-k", "k": 1}]
    (tmp_path / "config.json").write_text(json.dumps({"model": {"metrics": metrics}}))
    (tmp_path / "metrics.json").write_text(json.dumps({"test_p_at_1": 0.5}))
    assert [*Run.read(tmp_path).task_metrics] == ["label_f1", "p_at_5", "p_at_1"]
