"""Plots of a diagnosis. Scores are minus energies: higher is better."""

from typing import TYPE_CHECKING, Callable, Dict, List, Optional

import numpy as np

from ..decoders import Curve
from .diagnosis import Calibration, Diagnosis, LabelCounts
from .style import COLOURS, in_style, whole_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (4.2, 3.0)  # inches


@in_style()
def draw_scores(truth: np.ndarray, predictions: np.ndarray) -> "Figure":
    """Draw histograms of the scores of the truth and of the predictions.

    Where they differ, the score network distinguishes one from the other.
    """
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    bins = np.histogram_bin_edges(np.concatenate([truth, predictions]), bins=40).tolist()
    for name, scores in (("truth", truth), ("prediction", predictions)):
        axis.hist(scores, bins, histtype="stepfilled", alpha=0.4, color=COLOURS[name], label=name)
        axis.axvline(float(scores.mean()), color=COLOURS[name], linestyle="--")
    above = float((truth > predictions).mean())
    axis.set_title(f"The truth scores above the prediction for {above:.0%} (dashed: means)")
    axis.set_xlabel("score s(x, y)")
    axis.set_ylabel("instances")
    axis.legend(frameon=False)
    return figure


@in_style()
def draw_calibration(calibration: Calibration, bins: int = 10) -> "Figure":
    """Draw the mean oracle value of outputs against their value by the value network.

    A calibrated network is on the diagonal.
    """
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.digitize(calibration.predicted, edges) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    nonempty = count > 0
    means = [
        np.bincount(place, weights, minlength=bins)[nonempty] / count[nonempty]
        for weights in (calibration.predicted, calibration.oracle)
    ]
    error = float(np.abs(calibration.predicted - calibration.oracle).mean())
    axis.plot([0, 1], [0, 1], color=COLOURS["best"], linestyle="--", label="right")
    axis.scatter(calibration.predicted, calibration.oracle, 3, COLOURS["training"], alpha=0.15)
    axis.plot(*means, color=COLOURS["validation"], marker="o", label=f"mean of {bins} bins")
    axis.set_title(f"Calibration of the value network, mean error {error:.3f}")
    axis.set_xlabel("value v(x, y)")
    axis.set_ylabel("oracle value")
    axis.legend(frameon=False)
    return figure


@in_style()
def draw_path(path: np.ndarray, truth: Optional[np.ndarray] = None) -> "Figure":
    """Draw the scores at each step of gradient-based inference: median and quartiles over
    instances, and the median score of the truth if it is given."""
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    steps = np.arange(len(path))
    low, middle, high = np.quantile(path, [0.25, 0.5, 0.75], axis=1)
    axis.fill_between(steps, low, high, color=COLOURS["prediction"], alpha=0.2, linewidth=0)
    axis.plot(steps, middle, color=COLOURS["prediction"], label="median, middle half")
    if truth is not None:
        axis.axhline(
            float(np.median(truth)), color=COLOURS["truth"], linestyle="--", label="truth, median"
        )
    axis.set_title("Scores in gradient-based inference")
    axis.set_xlabel("step")
    axis.set_ylabel("score s(x, y)")
    whole_numbers(axis)
    axis.legend(frameon=False)
    return figure


@in_style()
def draw_search_error(path: np.ndarray, truth: np.ndarray) -> "Figure":
    """Draw the mean difference at each step from the best known score: that of the truth or of the
    best step. The best score of all outputs is not known in general."""
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    best = np.maximum(truth, path.max(axis=0))
    missing = (best - path).mean(axis=1)
    axis.plot(np.arange(len(path)), missing, color=COLOURS["prediction"])
    below = float((truth > path[-1]).mean())
    axis.set_title(f"Search error; the truth scores above the last step for {below:.0%}")
    axis.set_xlabel("step")
    axis.set_ylabel("score missing to the best known")
    axis.set_ylim(bottom=0)
    whole_numbers(axis)
    return figure


@in_style()
def draw_labels(
    labels: LabelCounts, names: Optional[List[str]] = None, shown: int = 10
) -> "Figure":
    """Draw the F1 of each label against its frequency.

    The most frequent labels have their names, as far as there is room.
    """
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    true = labels.true > 0
    axis.scatter(labels.true[true], labels.f1[true], 14, COLOURS["training"], alpha=0.6)
    axis.set_xscale("log")
    axis.set_ylim(-0.03, 1.03)
    if names is not None:
        taken: List[float] = []
        for index in np.argsort(-labels.true)[:shown]:
            frequency, f1 = float(labels.true[index]), float(labels.f1[index])
            if all(abs(f1 - other) > 0.05 for other in taken):
                taken.append(f1)
                axis.annotate(
                    names[index],
                    (frequency, f1),
                    (-4, 0),
                    textcoords="offset points",
                    fontsize=6,
                    ha="right",
                    va="center",
                )
    macro = float(labels.f1[true].mean()) if true.any() else 0.0
    axis.set_title(f"F1 by label, mean {macro:.3f} over {int(true.sum())} labels")
    axis.set_xlabel("how often the label is true")
    axis.set_ylabel("F1")
    return figure


@in_style()
def draw_levels(labels: LabelCounts, levels: np.ndarray, violations: np.ndarray) -> "Figure":
    """Draw the F1 of each term that is true or predicted over its level in the taxonomy, and the
    mean of each level.

    The title has the share of predictions that violate the taxonomy.
    """
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axis = figure.subplots()
    shown = labels.true + labels.predicted > 0
    level, f1 = levels[shown] + 1, labels.f1[shown]
    shift = np.random.default_rng(0).uniform(-0.25, 0.25, len(level))
    axis.scatter(level + shift, f1, 6, COLOURS["training"], alpha=0.3, linewidths=0)
    found = np.unique(level)
    means = [float(f1[level == each].mean()) for each in found]
    axis.plot(found, means, color=COLOURS["validation"], marker="o", label="mean of the level")
    axis.set_title(
        f"F1 by level; {(violations > 0).mean():.0%} of predictions violate the taxonomy"
    )
    axis.set_xlabel("level in the taxonomy")
    axis.set_ylabel("F1")
    axis.set_ylim(-0.03, 1.03)
    whole_numbers(axis)
    axis.legend(frameon=False)
    return figure


@in_style()
def draw_confusion(
    confusion: np.ndarray,
    names: Optional[List[str]] = None,
    shown: int = 12,
    title: str = "{errors} of {all} tags are wrong",
) -> "Figure":
    """Draw how often a tag, or a type, is predicted (columns) where another one is true (rows), of
    those with the most errors."""
    from matplotlib.figure import Figure

    errors = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-(errors.sum(0) + errors.sum(1)), kind="stable")[:shown]
    part = errors[order][:, order]
    figure = Figure((1.2 * SIZE[0], 1.2 * SIZE[0]), layout="constrained")
    axis = figure.subplots()
    axis.imshow(part, cmap="Blues")
    tags = [str(index) if names is None else names[index] for index in order]
    axis.set_xticks(range(len(tags)), tags, rotation=90, fontsize=6)
    axis.set_yticks(range(len(tags)), tags, fontsize=6)
    for row, column in zip(*part.nonzero(), strict=True):
        count = part[row, column]
        colour = "white" if count > part.max() / 2 else "black"
        axis.text(column, row, f"{count:.0f}", color=colour, fontsize=6, ha="center", va="center")
    axis.set_title(title.format(errors=int(errors.sum()), all=int(confusion.sum())))
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.grid(False)
    return figure


@in_style()
def draw_decoder(curves: List[Curve]) -> "Figure":
    """Draw the metric at each candidate of each fitted parameter, and the parameter in use."""
    from matplotlib.figure import Figure

    width, height = SIZE
    figure = Figure((width * len(curves), height), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
    for axis, curve in zip(axes, curves, strict=True):
        name = curve.parameter.replace("_", " ")
        axis.plot(curve.candidates, curve.values, color=COLOURS["validation"])
        axis.axvline(
            curve.used, color=COLOURS["best"], linestyle="--", label=f"used: {curve.used:.3g}"
        )
        axis.set_title(f"{curve.metric} by {name}")
        axis.set_xlabel(name)
        axis.legend(frameon=False)
    axes[0].set_ylabel(curves[0].metric)
    return figure


def draw_all(diagnosis: Diagnosis, names: Optional[List[str]] = None) -> Dict[str, "Figure"]:
    """Return the plots of all parts of the diagnosis by name; `names` are those of the labels."""
    d = diagnosis
    drawings: Dict[str, Callable[[], "Figure"]] = {}
    if d.truth_scores is not None and d.prediction_scores is not None:
        truth, predictions = d.truth_scores, d.prediction_scores
        drawings["scores"] = lambda: draw_scores(truth, predictions)
    if d.calibration is not None:
        calibration = d.calibration
        drawings["calibration"] = lambda: draw_calibration(calibration)
    if d.path is not None and d.truth_scores is not None:
        path, truth = d.path, d.truth_scores
        drawings["path"] = lambda: draw_path(path, truth)
        drawings["search_error"] = lambda: draw_search_error(path, truth)
    if d.labels is not None:
        labels = d.labels
        drawings["labels"] = lambda: draw_labels(labels, names)
        if d.taxonomy is not None and d.violations is not None:
            levels, violations = d.taxonomy.levels, d.violations
            drawings["levels"] = lambda: draw_levels(labels, levels, violations)
    if d.confusion is not None:
        confusion = d.confusion
        drawings["confusion"] = lambda: draw_confusion(confusion, names)
    if d.types is not None:
        types = d.types
        drawings["types"] = lambda: draw_confusion(
            types.confusion, [*types.types, "none"], title="{errors} errors at {all} places"
        )
    if d.decoder:
        drawings["decoder"] = lambda: draw_decoder(d.decoder)
    return {name: draw() for name, draw in drawings.items()}
