"""Methods side by side, against numpy, scipy and scikit-learn."""

import csv
import io
import json
import statistics

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric
from component_names import names_of
from scipy import stats

from structured_energy.metrics import SetMetric, StructuredMetric
from structured_energy.reporting import (
    Cell,
    Difference,
    Run,
    Score,
    Table,
    by_data,
    find_runs,
    long_table,
    methods_of,
    metrics_of,
    paired_bootstrap,
    render,
    scores_of,
    show,
    table_of,
    tables_of_results,
)
from structured_energy.taxonomy import Taxonomy

VALUES = {"spen": [0.5, 0.6, 0.7], "dvn": [0.8, 0.9]}


def write_run(folder, seed, model, metrics, finished=True, data="data://bibtex/test"):
    folder.mkdir(parents=True)
    config = {"random_seed": seed, "numpy_seed": seed, "pytorch_seed": seed, "model": model}
    (folder / "config.json").write_text(json.dumps({**config, "test_data_path": data}))
    name = "metrics.json" if finished else "metrics_epoch_0.json"
    (folder / name).write_text(json.dumps(metrics))


@pytest.fixture()
def runs(tmp_path):
    for method, values in VALUES.items():
        for seed, value in enumerate(values):
            metrics = {"test_example_f1": value, "test_hamming_loss": value, "test_loss.value": 7}
            model = {"metrics": ["example-f1", {"type": "hamming-loss"}], "name": method}
            write_run(tmp_path / method / f"seed_{seed}", seed, model, metrics)
    return tmp_path


def outcomes(folder):
    return [Run.read(path) for path in find_runs([folder])]


def test_runs_that_differ_in_their_seed_alone_are_a_method(runs):
    methods = {method.name: method for method in methods_of(outcomes(runs))}
    assert {name: len(method.runs) for name, method in methods.items()} == {"spen": 3, "dvn": 2}
    assert [run.seed for run in methods["spen"].runs] == ["0", "1", "2"]
    assert methods["dvn"].values("test", "example_f1") == VALUES["dvn"]


def test_a_table_is_titled_with_the_path_of_its_part(tmp_path):
    metrics = {"best_validation_example_f1": 0.5, "test_example_f1": 0.4}
    write_run(tmp_path / "a", 0, {"metrics": ["example-f1"]}, metrics)
    path = tmp_path / "a" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "validation_data_path": "data://bibtex/train[90%:]"}))
    for part, expected in (("test", "test"), ("validation", "train[90%:]")):
        (table,) = tables_of_results(outcomes(tmp_path), part)
        assert table.title.startswith(f"data://bibtex/{expected}, {part} data, ")


def test_names_of_methods(tmp_path):
    for name, seed, model in (("a-1", 1, 0), ("a-2", 2, 0), ("1", 1, 1), ("2", 1, 2)):
        write_run(tmp_path / name, seed, {"model": model}, {})
    assert {method.name for method in methods_of(outcomes(tmp_path))} == {"a", "1", "2"}
    (alone,) = methods_of([Run.read(tmp_path / "a-1")])
    assert alone.name == "a"


def test_what_is_no_run_raises(tmp_path):
    with pytest.raises(ValueError, match="Expected the folder of a run .* or one that holds"):
        find_runs([tmp_path])


def test_a_run_that_goes_on_has_its_best_epoch_so_far(tmp_path):
    write_run(tmp_path / "a", 0, {}, {"best_validation_f1": 0.5, "best_epoch": 3}, finished=False)
    outcome = Run.read(tmp_path / "a")
    assert not outcome.finished
    assert outcome.metrics == {"test": {}, "validation": {"f1": 0.5}}


def test_means_and_deviations_are_those_of_the_standard_library(runs):
    methods = methods_of(outcomes(runs))
    scores = scores_of(methods, "test", ["example_f1", "loss.value"])
    assert scores["spen"]["example_f1"].mean == pytest.approx(statistics.mean(VALUES["spen"]))
    table = table_of(scores, "title", ["example_f1", "loss.value"], metrics_of(methods, "test"))
    assert table.header == ["method", "example_f1, %", "loss.value"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["dvn", f"85.00 ± {100 * statistics.stdev(VALUES['dvn']):.2f} (2)", "7 ± 0 (2)"],
        ["spen", f"60.00 ± {100 * statistics.stdev(VALUES['spen']):.2f} (3)", "7 ± 0 (3)"],
    ]
    assert [row[1].bold for row in table.rows] == [True, False]
    assert not any(row[2].bold for row in table.rows)


def test_the_best_loss_is_the_lowest(runs):
    methods = methods_of(outcomes(runs))
    scores = scores_of(methods, "test", ["hamming_loss"])
    table = table_of(scores, "title", ["hamming_loss"], metrics_of(methods, "test"))
    assert {row[0].text: row[1].bold for row in table.rows} == {"dvn": False, "spen": True}


def test_a_metric_that_no_run_has_raises(runs):
    with pytest.raises(ValueError, match=r"one of \['example_f1', .*\], got 'f2'"):
        scores_of(methods_of(outcomes(runs)), "test", ["f2"])


def test_runs_on_other_data_are_apart(runs):
    write_run(runs / "other", 0, {}, {}, data="data://scene/test")
    groups = by_data(outcomes(runs))
    assert {data: len(group) for data, group in groups.items()} == {
        "data://bibtex/test": 5,
        "data://scene/test": 1,
    }


DIFFERENT = {
    "a_b": {"f1": Score([0.25, 0.75], Difference(0.01, -0.02, 0.03, 0.2))},
    "base": {"f1": Score([0.5])},
}


def test_csv_has_every_number(runs):
    text = render(long_table(DIFFERENT, ""), "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["method"] for row in rows] == ["a_b", "base"]
    assert float(rows[0]["deviation"]) == statistics.stdev([0.25, 0.75])
    assert [float(rows[0][key]) for key in ("difference", "low", "high", "p")] == [
        0.01,
        -0.02,
        0.03,
        0.2,
    ]
    assert rows[1]["deviation"] == rows[1]["p"] == ""


def test_markdown_and_latex():
    table = table_of(DIFFERENT, "Title", ["f1"], {"f1": SetMetric}, "base", ["A note."])
    lines = render(table, "markdown").splitlines()
    assert lines[2] == "| method | f1, % | minus base, 95 % | p |"
    assert lines[4] == "| base | 50.00 (1) |  |  |"
    assert lines[5].endswith("| +1.00 [-2.00, +3.00] | 0.200 |")
    latex = render(table, "latex")
    assert r"a\_b & 50.00 $\pm$ 35.36 (2) & +1.00" in latex
    assert latex.count(r"\\") == 3 and r"f1, \%" in latex and "% A note." in latex


def test_a_table_wider_than_the_console_is_split_between_metrics(monkeypatch, capsys):
    monkeypatch.setattr("structured_energy.reporting.tables.WIDTH", 40)
    row = [Cell("name"), *(Cell(f"{number}" * 8) for number in range(4))]
    show(Table("Title", ["method", *"abcd"], [row], ["A note."], together=2))
    text = capsys.readouterr().out
    assert text.count("name") == 2 and text.count("Title") == 1 and "A note." in text
    assert "…" not in text and all(f"{number}" * 8 in text for number in range(4))


# The bootstrap.


def vocabulary():
    tags = ("O", "B-X", "I-X", "B-Y")
    vocab = Vocabulary(non_padded_namespaces=["labels", "taxonomy"])
    for namespace, entries in {
        "labels": tags,
        "taxonomy": Taxonomy(tags, [[], [], [1], [1]]).entries(),
    }.items():
        for entry in entries:
            vocab.add_token_to_namespace(entry, namespace)
    return vocab


def metric_named(name):
    settings = {"roles": ["B-X"]} if name == "repeated-roles" else {}
    return Metric.from_params(Params({"type": name, **settings}), vocab=vocabulary())


OURS = sorted(names_of(Metric))


def problem(metric, size, seed):
    generator = torch.Generator().manual_seed(seed)
    if isinstance(metric, SetMetric):
        probabilities = torch.rand(size, 4, generator=generator)
        return probabilities, torch.rand(size, 4, generator=generator) > 0.5, None
    mask = torch.arange(5) < torch.randint(1, 6, (size, 1), generator=generator)
    probabilities = torch.rand(size, 5, 4, generator=generator)
    return probabilities, torch.randint(4, (size, 5), generator=generator), mask


@pytest.mark.parametrize("name", OURS)
def test_weighted_instances_are_as_many_copies(name):
    metric = metric_named(name)
    probabilities, labels, mask = problem(metric, 6, 0)
    outputs = probabilities > 0.5 if mask is None else probabilities.argmax(-1)
    sums = metric.sums_by_instance(probabilities, outputs, labels, mask)
    counts = torch.tensor([2, 0, 1, 3, 1, 0])
    again = torch.repeat_interleave(torch.arange(6), counts)
    real = None if mask is None else mask[again]
    metric(probabilities[again], outputs[again], labels[again], real)
    expected = metric.get_metric()
    expected = expected[""] if isinstance(expected, dict) else expected
    assert float(metric.value(metric.weighted(sums, counts))) == pytest.approx(float(expected))


class Mean(StructuredMetric):
    """The mean of the probabilities, of which scipy has a bootstrap."""

    name = "mean"

    def batch_sums(self, probabilities, predictions, labels, mask):
        return {"sum": probabilities.sum(), "count": torch.tensor(len(labels))}

    def value(self, sums):
        return sums["sum"] / sums["count"]


def instances(values):
    values = torch.as_tensor(values, dtype=torch.float64)
    return {"sum": values, "count": torch.ones(len(values))}


def test_the_interval_is_that_of_scipy():
    generator = np.random.default_rng(0)
    base = generator.normal(0.0, 1.0, 200)
    mine = base + generator.normal(0.05, 0.3, 200)
    found = paired_bootstrap(Mean(), [instances(mine)], [instances(base)], 4000)
    expected = stats.bootstrap(
        (mine - base,), np.mean, method="percentile", n_resamples=4000, rng=1
    ).confidence_interval
    assert found.mean == pytest.approx((mine - base).mean())
    assert found.low == pytest.approx(expected.low, abs=0.004)
    assert found.high == pytest.approx(expected.high, abs=0.004)
    assert found.p == pytest.approx(stats.ttest_rel(mine, base).pvalue, abs=0.02)
    turned = paired_bootstrap(Mean(), [instances(base)], [instances(mine)], 4000)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert turned.p == found.p


def test_the_same_instances_are_drawn_for_both():
    values = np.random.default_rng(0).normal(0.0, 100.0, 50)
    found = paired_bootstrap(Mean(), [instances(values + 1)], [instances(values)], 200)
    assert (found.low, found.high) == pytest.approx((1.0, 1.0))
    assert found.p == pytest.approx(2 / 201)


def test_seeds_are_drawn_too():
    runs = [instances(np.full(20, value)) for value in (0.0, 1.0)]
    found = paired_bootstrap(Mean(), runs, [instances(np.full(20, 0.5))], 2000)
    assert found.mean == pytest.approx(0.0)
    assert (found.low, found.high) == pytest.approx((-0.5, 0.5))
    assert found.p == 1.0


def test_runs_on_data_of_other_sizes_raise():
    with pytest.raises(ValueError, match=r"same instances for all runs, .* sizes \[3, 4\]"):
        paired_bootstrap(Mean(), [instances(np.ones(3))], [instances(np.ones(4))])
