"""The paired bootstrap: the difference of two methods with its confidence."""

from typing import Dict, List, NamedTuple, Sequence

import numpy as np
import torch

from ..metrics import StructuredMetric, Sums
from ..models import StructuredEnergyModel
from .data import RunData
from .inspection import inspecting, labelled

LEVEL = 0.95


class Difference(NamedTuple):
    """The difference of two methods in a metric.

    # Fields

    mean : of the means over seeds, on the data themselves.
    low, high : the percentiles that bound 95 % of the resampled differences.
    p : two-sided, twice the share of resampled differences on the other side of 0.
    """

    mean: float
    low: float
    high: float
    p: float


def judge(model: StructuredEnergyModel, data: RunData, metrics: Sequence[str]) -> Dict[str, Sums]:
    """Predict the data, and return the terms of each instance, in the order of the files, in the
    sums of each metric.

    # Raises

    `ValueError` for a metric that the model does not have, or data without labels.
    """
    task_metrics = model.evaluation.metrics
    for name in metrics:
        if name not in task_metrics:
            raise ValueError(
                f"Expected a task metric of the model, one of {sorted(task_metrics)}, got '{name}'."
            )
    parts: Dict[str, List[Sums]] = {name: [] for name in metrics}
    with inspecting(model) as device:
        for batch in data.with_progress(f"predicting {data.path}"):
            x, labels, mask = labelled(model, batch, device, f"'{data.path}'")
            prediction = model(x=x, mask=mask)["prediction"]
            outputs = model.decoder.decode(prediction)
            for name in metrics:
                sums = task_metrics[name].sums_by_instance(
                    prediction.probabilities, outputs, labels, mask
                )
                parts[name].append({key: value.cpu() for key, value in sums.items()})
    places = torch.tensor(np.argsort(data.order))
    return {
        name: {key: torch.cat([sums[key] for sums in batches])[places] for key in batches[0]}
        for name, batches in parts.items()
    }


def paired_bootstrap(
    metric: StructuredMetric,
    sums: List[Sums],
    baseline: List[Sums],
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """Return the difference of the means over seeds, with its distribution over resamples.

    A resample draws the instances with replacement, the same for all runs (Koehn 2004, "Statistical
    significance tests for machine translation evaluation"; Efron & Tibshirani 1993), and the runs
    of each method, since both the test data and the seeds are samples. With few seeds the interval
    is too narrow.

    # Parameters

    sums, baseline : `List[Sums]`
        `metric.sums_by_instance` of each run, on the same instances.

    # Raises

    `ValueError` where the runs have different numbers of instances.
    """
    sizes = {len(next(iter(run.values()))) for run in [*sums, *baseline]}
    if len(sizes) > 1:
        raise ValueError(
            f"Expected the same instances for all runs, got data of the sizes {sorted(sizes)}."
        )
    (size,) = sizes
    generator = np.random.default_rng(seed)
    drawn = generator.integers(size, size=(resamples, size))
    counts = [torch.ones(size, dtype=torch.long)]  # the first is the data themselves
    counts += [torch.from_numpy(np.bincount(row, minlength=size)) for row in drawn]

    def means(runs: List[Sums]) -> np.ndarray:
        values = np.array(
            [[float(metric.value(metric.weighted(run, n))) for n in counts] for run in runs]
        )
        picked = generator.integers(len(runs), size=(len(runs), resamples))
        resampled = values[picked, np.arange(1, resamples + 1)].mean(axis=0)
        return np.concatenate([values[:, :1].mean(axis=0), resampled])

    differences = means(sums) - means(baseline)
    mean, resampled = differences[0], differences[1:]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    beyond = min((resampled <= 0).sum(), (resampled >= 0).sum())
    p = min(1.0, 2 * (beyond + 1) / (resamples + 1))  # never 0 with finitely many resamples
    return Difference(float(mean), float(low), float(high), float(p))
