"""The history of a run as its files have it, and plots that show the numbers they are given."""

import json
import logging

import numpy as np
import pytest

from structured_energy.decoders import Curve
from structured_energy.reporting import (
    Calibration,
    Diagnosis,
    LabelCounts,
    Run,
    draw_all,
    draw_curves,
    save,
)
from structured_energy.reporting.plots import draw_confusion


def write_run(folder, epochs):
    (folder / "config.json").write_text(json.dumps({"trainer": {"validation_metric": "+f1"}}))
    for epoch, metrics in enumerate(epochs):
        (folder / f"metrics_epoch_{epoch}.json").write_text(json.dumps(metrics))
    return folder


@pytest.fixture()
def run(tmp_path):
    return write_run(
        tmp_path,
        [
            {
                "best_epoch": 0,
                "training_duration": "0:00:01",
                "training_worker_0_memory_MB": 5.0,
                "epoch": 0,
                "training_loss.value": 3.0,
                "validation_loss.value": 4.0,
                "validation_f1": 0.5,
                "best_validation_f1": 0.5,
            },
            {
                "best_epoch": 0,
                "training_loss.value": 2.0,
                "training_sampler.loss.value": 7.0,
                "validation_loss.value": 5.0,
                "validation_f1": 0.25,
            },
        ],
    )


def test_curves_are_what_the_files_say(run):
    history = Run.read(run)
    assert history.best_epoch == 0 and history.metric == "f1"
    assert history.curves == {
        "loss.value": {"training": ([0, 1], [3.0, 2.0]), "validation": ([0, 1], [4.0, 5.0])},
        "f1": {"validation": ([0, 1], [0.5, 0.25])},
        "sampler.loss.value": {"training": ([1], [7.0])},
    }


def test_the_values_of_very_many_labels_are_left_out_of_the_curves(tmp_path):
    values = {f"validation_label_f1.label {i}": 0.5 for i in range(983)}
    metrics = {"best_epoch": 0, "validation_f1": 0.5, "validation_label_f1": 0.5, **values}
    figure = draw_curves(Run.read(write_run(tmp_path, [metrics])))
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["f1", "label_f1"]
    assert figure.get_suptitle().endswith(", without the 983 values of label_f1")


def test_a_run_joins_its_config_its_curves_and_its_final_metrics(run):
    unfinished = Run.read(run)
    assert not unfinished.finished and unfinished.metrics == {"test": {}, "validation": {}}
    final = {"best_epoch": 0, "best_validation_f1": 0.5, "test_f1": 0.75, "training_start": "now"}
    (run / "metrics.json").write_text(json.dumps(final))
    finished = Run.read(run)
    assert finished.finished and finished.best_epoch == 0
    assert finished.metrics == {"test": {"f1": 0.75}, "validation": {"f1": 0.5}}
    assert finished.config == unfinished.config == {"trainer": {"validation_metric": "+f1"}}
    assert not finished.lower_is_better and finished.seed == "13370/1337/133"
    assert finished.curves == unfinished.curves
    for file in run.glob("metrics_epoch_*.json"):
        file.unlink()
    finished = Run.read(run)  # the final metrics do not need the epochs
    with pytest.raises(ValueError, match="at least one epoch that has ended"):
        _ = finished.curves


def test_a_file_that_was_cut_off_is_left_out_with_a_warning(run, caplog):
    (run / "metrics_epoch_2.json").write_text('{"best_epoch": 2, "training_loss')
    with caplog.at_level(logging.WARNING):
        history = Run.read(run)
    assert history.best_epoch == 0
    assert "metrics_epoch_2.json is incomplete" in caplog.text


def test_epochs_are_in_their_order_beyond_ten(tmp_path):
    run = write_run(tmp_path, [{"training_loss": float(epoch)} for epoch in range(12)])
    assert Run.read(run).curves["loss"]["training"].values == list(range(12))


def test_what_is_no_run_raises(tmp_path):
    with pytest.raises(ValueError, match="Expected the folder of a run"):
        Run.read(tmp_path)
    with pytest.raises(ValueError, match="at least one epoch that has ended"):
        Run.read(write_run(tmp_path, []))


def test_every_value_has_a_plot_below_its_node(run):
    figure = draw_curves(Run.read(run))
    shown = {}
    node = None
    for axis in figure.axes:
        node = axis.texts[0].get_text() if axis.texts else node
        lines = {line.get_label(): line for line in axis.get_lines()}
        if lines:
            shown[node, axis.get_title()] = lines
    assert set(shown) == {("task", "f1"), ("loss", "value"), ("sampler.loss", "value")}
    lines = shown["loss", "value"]
    assert set(lines) == {"training", "validation", "best epoch"}
    np.testing.assert_array_equal(lines["training"].get_ydata(), [3.0, 2.0])
    np.testing.assert_array_equal(lines["validation"].get_xdata(), [0, 1])
    np.testing.assert_array_equal(lines["best epoch"].get_xdata(), [0, 0])
    assert lines["training"].get_color() != lines["validation"].get_color()
    assert shown["sampler.loss", "value"]["training"].get_marker() == "o"  # a point can be seen
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "validation",
        "best epoch",
        "training",
    ]


def diagnosis():
    generator = np.random.default_rng(0)
    truth = generator.normal(3, 1, 50)
    path = np.linspace(-2, 2, 5)[:, None] + generator.normal(0, 0.1, (5, 50))
    return Diagnosis(
        truth_scores=truth,
        prediction_scores=path[-1],
        path=path,
        calibration=Calibration(np.array([0.05, 0.06, 0.95]), np.array([0.0, 0.2, 0.9])),
        labels=LabelCounts(np.array([9, 3, 0]), np.array([9, 0, 0]), np.array([9, 0, 0])),
        decoder=[Curve("threshold", [0.3, 0.6], [0.4, 0.5], "iou", 0.6)],
    )


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_the_confusion_shows_the_tags_with_the_most_errors():
    confusion = np.array([[90.0, 0, 1, 0], [0, 50, 0, 0], [0, 7, 40, 0], [3, 0, 0, 20]])
    axis = draw_all(Diagnosis(confusion=confusion), list("abcd"))["confusion"].axes[0]
    tags = [label.get_text() for label in axis.get_yticklabels()]
    assert tags == ["c", "b", "a", "d"]
    texts = {
        (tags[int(text.get_position()[1])], tags[int(text.get_position()[0])]): text.get_text()
        for text in axis.texts
    }
    assert texts == {("c", "b"): "7", ("a", "c"): "1", ("d", "a"): "3"}
    assert axis.get_title() == "11 of 211 tags are wrong"
    figure = draw_confusion(confusion, shown=2)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["2", "1"]


def test_plots_show_the_numbers_of_the_diagnosis():
    given = diagnosis()
    figures = draw_all(given, ["red", "green", "blue"])
    assert set(figures) == {
        "scores",
        "calibration",
        "path",
        "search_error",
        "labels",
        "decoder",
    }
    for figure in figures.values():
        axis = figure.axes[0]
        assert axis.get_title() and axis.get_xlabel() and axis.get_ylabel()

    above = (given.truth_scores > given.prediction_scores).mean()
    assert f"{above:.0%}" in figures["scores"].axes[0].get_title()
    binned = lines_of(figures["calibration"])["mean of 10 bins"]
    np.testing.assert_allclose(binned.get_xdata(), [0.055, 0.95])
    np.testing.assert_allclose(binned.get_ydata(), [0.1, 0.9])
    median = lines_of(figures["path"])["median, middle half"].get_ydata()
    np.testing.assert_allclose(median, np.median(given.path, axis=1))
    (missing,) = figures["search_error"].axes[0].get_lines()
    best = np.maximum(given.truth_scores, given.path.max(0))
    np.testing.assert_allclose(missing.get_ydata(), (best - given.path).mean(1))
    (points,) = figures["labels"].axes[0].collections
    np.testing.assert_allclose(points.get_offsets(), [[9, 1.0], [3, 0.0]])
    assert [text.get_text() for text in figures["labels"].axes[0].texts] == ["red", "green"]
    assert "iou" in figures["decoder"].axes[0].get_title()


def test_what_a_model_does_not_have_is_not_drawn():
    assert draw_all(Diagnosis()) == {}
    assert set(draw_all(Diagnosis(truth_scores=np.ones(2), prediction_scores=np.zeros(2)))) == {
        "scores"
    }


def test_a_plot_is_the_same_files_each_time(tmp_path):
    paths = [save(draw_all(diagnosis())["path"], tmp_path / name, "path") for name in "ab"]
    assert [path.name for path in paths[0]] == ["path.png", "path.svg"]
    for first, second in zip(*paths, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert len(first.read_bytes()) > 5000
