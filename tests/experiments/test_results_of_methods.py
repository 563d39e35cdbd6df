"""Results that are gathered in a file: what is trained, which decoder is the best, the tables."""

import csv
import sys

import pytest
from forked_command import forked

from experiments import results

SMALL = {"num_epochs": 2, "hidden": [8]}


def row(method, seed, decoder, validation, test, data_set="scene"):
    values = {"validation_example_f1": str(validation), "test_example_f1": str(test)}
    keys = {"data_set": data_set, "method": method, "seed": str(seed), "decoder": decoder}
    return {**dict.fromkeys(results.HEADER, ""), **keys, "digest": "d", "epoch": "1", **values}


ROWS = [
    row("dvn", 0, "config", 0.9, 0.1),
    row("dvn", 0, "threshold", 0.5, 0.4),
    row("dvn", 1, "threshold", 0.5, 0.5),
    row("dvn", 0, "relative", 0.6, 0.6),
    row("dvn", 1, "relative", 0.5, 0.7),
    row("spen", 0, "threshold", 0.8, 0.2),
    row("spen", 0, "relative", 0.7, 0.9),
]


def test_the_best_decoder_is_chosen_on_validation_data_for_each_method(tmp_path):
    results.write(tmp_path / "r.csv", ROWS)
    rows = results.read(tmp_path / "r.csv")
    assert sorted(map(str, rows)) == sorted(map(str, ROWS))
    found = {
        (str(run.folder), run.metrics["test"]["example_f1"])
        for run in results.runs_with(rows, "best")
    }
    assert found == {("/dvn/seed_0", 0.6), ("/dvn/seed_1", 0.7), ("/spen/seed_0", 0.2)}
    other = [{**row, "validation_macro_f1": row["validation_example_f1"]} for row in rows]
    worse = [r | {"validation_macro_f1": "0.1"} for r in other if r["decoder"] == "relative"]
    (run,) = results.runs_with([*other[:2], *worse[:1]], "best", "macro_f1")
    assert run.metrics["test"] == {"example_f1": 0.4}
    assert results.runs_with(rows, "best", "au_prc") == []
    (config,) = results.runs_with(rows, "config")
    assert config.metrics["test"] == {"example_f1": 0.1}


def test_the_table_shows_methods_by_data_sets(tmp_path, monkeypatch, capsys):
    results.write(tmp_path / "r.csv", [*ROWS, row("dvn", 0, "relative", 0.5, 0.25, "yeast")])
    arguments = ["table", "--file", str(tmp_path / "r.csv"), "--decoder", "relative"]
    monkeypatch.setattr("sys.argv", ["results", *arguments])
    assert results.main() == 0
    table = capsys.readouterr().out
    assert "| dvn | 65.00 ± 7.07 (2) | 25.00 (1) |" in table
    assert "| spen | **90.00 (1)** |  |" in table
    monkeypatch.setattr("sys.argv", ["results", *arguments[:-1], "nonsense"])
    with pytest.raises(ValueError, match="the decoder 'nonsense', got none"):
        results.main()


@pytest.mark.parametrize(
    "data_set, paths",
    [
        ("bibtex", ("data://bibtex/train[:90%]", "data://bibtex/train[90%:]")),
        ("bibtex@25%", ("data://bibtex/train[:22%]", "data://bibtex/train[90%:]")),
        ("digits@50%", ("embedded://digits/train[:50%]", "embedded://digits/validation")),
        (
            "bibtex@published",
            ("data://bibtex/all[:60%]?seed=0", "data://bibtex/all[60%:80%]?seed=0"),
        ),
    ],
)
def test_a_share_of_the_training_rows_leaves_the_others_unchanged(data_set, paths):
    config = results.Case(data_set, "cross_entropy", 0).config()
    assert (config["train_data_path"], config["validation_data_path"]) == paths


def test_the_table_shows_shares_of_the_training_rows(tmp_path, monkeypatch, capsys):
    shares = [row("dvn", 0, "relative", 0.5, 0.25, "scene@10%"), row("dvn", 0, "relative", 0, 0.5)]
    results.write(tmp_path / "r.csv", shares)
    arguments = ["results", "table", "--file", str(tmp_path / "r.csv"), "--data-sets", "scene"]
    for chosen, expected in (
        (["--train-shares", "10", "100"], "| dvn | 50.00 (1) | 25.00 (1) |"),
        ([], "| dvn | 50.00 (1) |"),
    ):
        monkeypatch.setattr("sys.argv", [*arguments, *chosen])
        assert results.main() == 0
        assert expected in capsys.readouterr().out.splitlines()
    monkeypatch.setattr("sys.argv", [*arguments, "--published", "--train-shares", "10"])
    with pytest.raises(SystemExit):
        results.main()
    assert "all training rows for the published protocol" in capsys.readouterr().err


def in_a_process(function, *arguments, **options):
    """Call a function that starts processes of its own, and say whether it returned `True`."""
    return forked(lambda: sys.exit(0 if function(*arguments, **options) else 1)).returncode == 0


def test_what_is_missing_is_trained(tmp_path, monkeypatch):
    small = results.config_of("digits", "cross_entropy", 0, SMALL)
    config_of = {**small, "trainer": {**small["trainer"], "num_epochs": 1}}
    monkeypatch.setattr(
        results,
        "config_of",
        lambda data_set, method, seed: {
            **config_of,
            **dict.fromkeys(("random_seed", "numpy_seed", "pytorch_seed"), seed),
        },
    )
    file, out = tmp_path / "r.csv", tmp_path / "runs"
    cases = [results.Case("digits", "cross_entropy", seed) for seed in (0, 1)]
    assert in_a_process(results.run, cases[:1], file, out, 1, keep=True)
    first = results.read(file)
    assert {"config", "threshold", "relative"} < {each["decoder"] for each in first}
    by_decoder = {each["decoder"]: each for each in first}
    for column in ("validation_example_f1", "test_example_f1"):
        assert by_decoder["config"][column] == by_decoder["relative-and-absolute"][column] != ""
    folder = out / "digits" / "cross_entropy" / "0"
    assert (folder / "metrics.json").exists()
    (published,) = results.rows_of(results.Case("digits@published", "cross_entropy", 0), folder)
    assert published["decoder"] == "config"
    assert published["test_example_f1"] == by_decoder["config"]["test_example_f1"]
    assert in_a_process(results.run, cases, file, out, 1, keep=False)
    rows = results.read(file)
    assert [each for each in rows if each["seed"] == "0"] == first
    assert {each["seed"] for each in rows} == {"0", "1"}
    assert not (out / "digits" / "cross_entropy" / "1").exists()
    with file.open(newline="") as opened:
        assert next(csv.reader(opened)) == list(results.HEADER)
