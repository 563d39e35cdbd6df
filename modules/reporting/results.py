"""Tables of results: methods by data sets, from the files of runs."""

import re
import statistics
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Type

from ..metrics import StructuredMetric
from .comparison import by_data, metrics_of, notes_on
from .methods import Method, methods_of
from .run import Run
from .tables import Cell, Table


class Column(NamedTuple):
    """A metric of the methods on one data set, by method and seed."""

    title: str
    values: Dict[str, Dict[str, float]]
    scale: float
    higher_is_better: bool


def tables_of_results(
    runs: Sequence[Run],
    part: str,
    metrics: Optional[Sequence[str]] = None,
    baseline: Optional[str] = None,
) -> List[Table]:
    """Return a table for each metric, with a column for each data set that has it; one table for
    all metrics where there is one data set.

    A cell is the mean over seeds ± the standard deviation (n − 1), with the number of seeds; the
    best of a column is in bold. ▲ and ▼ mean that the difference from the baseline, paired by seed,
    has a 95 % confidence interval (Student's t) without 0.

    # Raises

    `ValueError` for a metric that no run has, and for an unknown baseline.
    """
    groups = {data: methods_of(group) for data, group in by_data(runs).items()}
    methods = [method for group in groups.values() for method in group]
    names = sorted({method.name for method in methods}, key=lambda name: (name != baseline, name))
    if baseline is not None and baseline not in names:
        raise ValueError(f"Expected the baseline to be one of {names}, got '{baseline}'.")
    kinds = metrics_of(methods, part)
    chosen = list(metrics or kinds)
    _check_metrics(chosen, runs, part)
    titles = data_names(list(groups))
    columns = {
        metric: [
            _column(titles[data], group, part, metric, kinds.get(metric))
            for data, group in groups.items()
            if any(metric in run.metrics[part] for method in group for run in method.runs)
        ]
        for metric in chosen
    }
    notes = notes_on(runs, part)
    if baseline is not None:
        notes.append(f"▲ and ▼: beyond {baseline} with 95 % confidence, paired by seed.")
    about = f"{part} data, mean ± standard deviation (number of seeds)"
    if len(groups) == 1:
        titled = [
            column._replace(title=f"{metric}, %" if column.scale == 100 else metric)
            for metric, (column,) in columns.items()
        ]
        return [_table(f"{runs[0].path_of(part)}, {about}", titled, names, baseline, notes)]
    tables = []
    for metric, of_metric in columns.items():
        unit = ", %" if of_metric[0].scale == 100 else ""
        tables.append(_table(f"{metric}{unit}, {about}", of_metric, names, baseline, notes))
    return tables


def run_rows(runs: Sequence[Run], part: str, metrics: Optional[Sequence[str]] = None) -> Table:
    """Return a table for programs: a row for each run, with its seed and unrounded metrics.

    # Raises

    `ValueError` for a metric that no run has.
    """
    groups = {data: methods_of(group) for data, group in by_data(runs).items()}
    every = [method for group in groups.values() for method in group]
    chosen = list(metrics or metrics_of(every, part))
    _check_metrics(chosen, runs, part)
    titles = data_names(list(groups))
    rows = []
    for data, group in groups.items():
        for method in group:
            for run in method.runs:
                values = (run.metrics[part].get(metric) for metric in chosen)
                texts = [titles[data], method.name, run.seed, run.digest]
                texts += ["" if value is None else repr(value) for value in values]
                rows.append([Cell(text) for text in (*texts, str(run.folder))])
    header = ["data set", "method", "seed", "config", *chosen, "folder"]
    return Table(f"{part} data", header, rows, [])


def data_names(paths: Sequence[str]) -> Dict[str, str]:
    """Return a short name for each path of data: the data set, or the name of the file.

    >>> data_names(["data://scene/test", "mine/yeast.csv"])
    {'data://scene/test': 'scene', 'mine/yeast.csv': 'yeast'}
    """
    names = {}
    for path in paths:
        published = re.match(r"\w+://([^/\[?]+)", path)
        names[path] = published[1] if published else Path(path).stem
    short = list(names.values())
    return {path: name if short.count(name) == 1 else path for path, name in names.items()}


def beyond_noise(values: Dict[str, float], baseline: Dict[str, float]) -> Optional[int]:
    """Return the sign of the mean difference, paired by seed, where its 95 % confidence interval
    leaves out 0, otherwise 0; `None` with fewer than two seeds in common."""
    from scipy import stats

    differences = [values[seed] - baseline[seed] for seed in values if seed in baseline]
    if len(differences) < 2:
        return None
    mean = statistics.mean(differences)
    error = statistics.stdev(differences) / len(differences) ** 0.5
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return 0 if abs(mean) <= half else (1 if mean > 0 else -1)


def _check_metrics(metrics: Sequence[str], runs: Sequence[Run], part: str) -> None:
    known = sorted({name for run in runs for name in run.metrics[part]})
    if not metrics:
        raise ValueError(
            f"Expected runs with metrics of the task on the {part} data, got none; name logged "
            f"values with --metric, of {known}."
        )
    for metric in metrics:
        if metric not in known:
            raise ValueError(
                f"Expected a metric that the runs have on the {part} data, one of {known}, got "
                f"'{metric}'."
            )


def _column(
    title: str,
    methods: Sequence[Method],
    part: str,
    metric: str,
    kind: Optional[Type[StructuredMetric]],
) -> Column:
    values = {
        method.name: {
            run.seed: run.metrics[part][metric]
            for run in method.runs
            if metric in run.metrics[part]
        }
        for method in methods
    }
    higher = kind is None or kind.higher_is_better
    return Column(title, values, 1.0 if kind is None else 100.0, higher)


def _table(
    title: str,
    columns: Sequence[Column],
    names: Sequence[str],
    baseline: Optional[str],
    notes: List[str],
) -> Table:
    rows = [
        [Cell(name), *(_cell(column, name, baseline) for column in columns)]
        for name in names
        if any(column.values.get(name) for column in columns)
    ]
    return Table(title, ["method", *(column.title for column in columns)], rows, notes)


def _cell(column: Column, name: str, baseline: Optional[str]) -> Cell:
    values = column.values.get(name)
    if not values:
        return Cell("")
    means = {n: statistics.mean(v.values()) for n, v in column.values.items() if v}
    best = max(means.values()) if column.higher_is_better else min(means.values())
    numbers = [column.scale * value for value in values.values()]
    digits = ".2f" if column.scale == 100 else ".4g"
    spread = f" ± {statistics.stdev(numbers):{digits}}" if len(numbers) > 1 else ""
    mark = ""
    if baseline is not None and name != baseline and column.values.get(baseline):
        sign = beyond_noise(values, column.values[baseline])
        mark = {1: " ▲", -1: " ▼"}.get(sign or 0, "")
    text = f"{statistics.mean(numbers):{digits}}{spread} ({len(numbers)}){mark}"
    return Cell(text, len(means) > 1 and means[name] == best)
