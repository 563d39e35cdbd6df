"""Comparisons of methods: means over seeds, and differences from a baseline."""

import logging
import statistics
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Type

import torch

from ..metrics import StructuredMetric, Sums
from .bootstrap import Difference, judge, paired_bootstrap
from .data import load_data
from .decoding import model_of
from .methods import Method
from .run import Run
from .tables import Cell, Table

logger = logging.getLogger(__name__)

TOLERANCE = 5e-4  # a twentieth of a percent


class Score(NamedTuple):
    """The metric of a method: its value for each seed, and its difference from the baseline."""

    values: List[float]
    difference: Optional[Difference] = None

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return statistics.mean(self.values)

    @property
    def deviation(self) -> Optional[float]:
        """The standard deviation over seeds (n − 1); `None` for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


Scores = Dict[str, Dict[str, Score]]  # by method and metric


def metrics_of(methods: Sequence[Method], part: str) -> Dict[str, Type[StructuredMetric]]:
    """Return the task metrics that the runs have on this part of the data."""
    return {
        name: kind
        for method in methods
        for run in method.runs
        for name, kind in run.task_metrics.items()
        if name in run.metrics[part]
    }


def common_part(runs: Sequence[Run]) -> str:
    """Return the part of the data on which runs are compared: the test data if all have them."""
    return "test" if all(run.metrics["test"] for run in runs) else "validation"


def notes_on(runs: Sequence[Run], part: str) -> List[str]:
    """Return the sentences below a table of runs that a reader of it needs."""
    unfinished = dict.fromkeys(run.folder for run in runs if not run.finished)
    notes = [f"{folder} has not finished: its best epoch so far." for folder in unfinished]
    if part == "validation":
        notes.append("On validation data, which also selected the best epoch.")
    return notes


def scores_of(methods: Sequence[Method], part: str, metrics: Sequence[str]) -> Scores:
    """Return the metrics of the methods from the files of their runs.

    # Raises

    `ValueError` for a metric that no run has.
    """
    scores: Scores = {
        method.name: {
            metric: Score(values) for metric in metrics if (values := method.values(part, metric))
        }
        for method in methods
    }
    for metric in metrics:
        if not any(metric in found for found in scores.values()):
            known = sorted({name for m in methods for run in m.runs for name in run.metrics[part]})
            raise ValueError(
                f"Expected a metric that the runs have on the {part} data, one of {known}, got "
                f"'{metric}'."
            )
    return scores


def with_differences(
    scores: Scores,
    methods: Sequence[Method],
    part: str,
    metrics: Sequence[str],
    baseline: str,
    resamples: int,
) -> Scores:
    """Return the scores with the differences from a baseline; every run predicts its data again.

    # Raises

    `ValueError` for an unknown baseline, for a metric that is not of the task, or for runs whose
    data differ.
    """
    known = [method.name for method in methods]
    if baseline not in known:
        raise ValueError(f"Expected the baseline to be one of {known}, got '{baseline}'.")
    task = metrics_of(methods, part)
    for metric in metrics:
        if metric not in task:
            raise ValueError(
                f"Expected a metric of the task to compare with a baseline, one of {[*task]}, got "
                f"'{metric}'."
            )
    judged: Dict[str, Dict[str, List[Sums]]] = {}
    for method in methods:
        of_method = judged.setdefault(method.name, {metric: [] for metric in metrics})
        for run in method.runs:
            model = model_of(run)
            data = load_data(run.folder, model.vocab, run.config.get(f"{part}_data_path"))
            for metric, sums in judge(model, data, metrics).items():
                of_method[metric].append(sums)
                _check_again(run, part, metric, model.evaluation.metrics[metric], sums)
    judges = model.evaluation.metrics
    return {
        name: {
            metric: score
            if name == baseline
            else score._replace(
                difference=paired_bootstrap(
                    judges[metric], judged[name][metric], judged[baseline][metric], resamples
                )
            )
            for metric, score in found.items()
        }
        for name, found in scores.items()
    }


def _check_again(run: Run, part: str, metric: str, judge: StructuredMetric, sums: Sums) -> None:
    every = torch.ones(len(next(iter(sums.values()))), dtype=torch.long)
    again, written = float(judge.value(judge.weighted(sums, every))), run.metrics[part].get(metric)
    if written is None or abs(again - written) > TOLERANCE:
        logger.warning(
            "%s: expected the %s of its files, %s, got %s by predicting again; the data or "
            "the code have changed, or inference draws random numbers.",
            run.folder,
            metric,
            written,
            again,
        )


def table_of(
    scores: Scores,
    title: str,
    metrics: Sequence[str],
    task_metrics: Mapping[str, Type[StructuredMetric]],
    baseline: Optional[str] = None,
    notes: Sequence[str] = (),
) -> Table:
    """Return a table of methods by metrics: mean ± standard deviation (number of seeds).

    Task metrics are in percent, with the best mean in bold. The baseline comes first, then the
    methods in the order of the first metric.
    """
    header = ["method"]
    for metric in metrics:
        header.append(f"{metric}, %" if metric in task_metrics else metric)
        if baseline is not None:
            header += [f"minus {baseline}, 95 %", "p"]
    first = metrics[0]

    def place(name: str) -> tuple:
        score = scores[name].get(first)
        return name != baseline, -score.mean if score else float("inf"), name

    best: Dict[str, float] = {}
    for metric in metrics:
        means = {found[metric].mean for found in scores.values() if metric in found}
        if metric in task_metrics and len(means) > 1:
            best[metric] = max(means) if task_metrics[metric].higher_is_better else min(means)
    rows = []
    for name in sorted(scores, key=place):
        row = [Cell(name)]
        for metric in metrics:
            score = scores[name].get(metric)
            scale = 100 if metric in task_metrics else 1
            stands_out = score is not None and score.mean == best.get(metric)
            row.append(Cell("" if score is None else _said(score, scale), stands_out))
            if baseline is not None:
                row += _differing(None if score is None else score.difference, scale)
        rows.append(row)
    return Table(title, header, rows, list(notes), together=1 if baseline is None else 3)


def long_table(scores: Scores, title: str) -> Table:
    """Return a table for programs: a row for each method and metric, with unrounded numbers."""
    header = ["method", "metric", "mean", "deviation", "seeds", "difference", "low", "high", "p"]
    rows = []
    for name, found in scores.items():
        for metric, score in found.items():
            numbers = [score.mean, score.deviation, len(score.values)]
            numbers += [*score.difference] if score.difference else [None] * 4
            texts = ["" if number is None else repr(number) for number in numbers]
            rows.append([Cell(text) for text in (name, metric, *texts)])
    return Table(title, header, rows, [])


def by_data(runs: Sequence[Run]) -> Dict[str, List[Run]]:
    """Return the runs by the data on which they are compared."""
    groups: Dict[str, List[Run]] = {}
    for run in runs:
        groups.setdefault(run.data, []).append(run)
    return groups


def _said(score: Score, scale: float) -> str:
    digits = ".2f" if scale == 100 else ".4g"
    spread = "" if score.deviation is None else f" ± {scale * score.deviation:{digits}}"
    return f"{scale * score.mean:{digits}}{spread} ({len(score.values)})"


def _differing(difference: Optional[Difference], scale: float) -> List[Cell]:
    if difference is None:
        return [Cell(""), Cell("")]
    mean, low, high = (scale * value for value in difference[:3])
    beyond = not difference.low <= 0 <= difference.high
    return [Cell(f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]", beyond), Cell(f"{difference.p:.3f}")]
