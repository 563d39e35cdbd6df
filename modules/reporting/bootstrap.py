"""Whether one method is better than another, by the paired bootstrap."""

from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np
import torch
from allennlp.nn.util import move_to_device

from ..metrics import StructuredMetric, Sums
from ..models import StructuredEnergyModel
from .data import RunData
from .inspecting import inspecting

LEVEL = 0.95


class Difference(NamedTuple):
    """The difference of two methods in a metric.

    # Fields

    mean : between the means over seeds on the data as they are.
    low, high : the 95 % interval of the resampled differences, between their percentiles.
    p : two-sided, twice the share of resampled differences on the other side of 0.
    """

    mean: float
    low: float
    high: float
    p: float


def judge(model: StructuredEnergyModel, data: RunData, metrics: Sequence[str]) -> Dict[str, Sums]:
    """Predicts the data, and gives what each instance, in the order of the files, adds to each
    metric.

    # Raises

    `ValueError` for a metric that the model does not have, or data without labels.
    """
    known = model.evaluation.metrics
    for name in metrics:
        if name not in known:
            raise ValueError(
                f"Expected a task metric of the model, one of {sorted(known)}, got '{name}'."
            )
    parts: Dict[str, List[Sums]] = {name: [] for name in metrics}
    with inspecting(model) as device:
        for batch in data.with_progress(f"predicting {data.path}"):
            here: Dict[str, Any] = move_to_device(batch, device)
            labels, mask = here.get("labels"), here.get("mask")
            if labels is None:
                raise ValueError(f"Expected data with labels, got none in '{data.path}'.")
            probabilities = model(x=here["x"], mask=mask)["probabilities"]
            for name in metrics:
                sums = known[name].sums_by_instance(
                    probabilities, labels, model.threshold.value, mask
                )
                parts[name].append({key: value.cpu() for key, value in sums.items()})
    places = torch.tensor(np.argsort(data.order))
    return {
        name: {key: torch.cat([part[key] for part in found])[places] for key in found[0]}
        for name, found in parts.items()
    }


def paired_bootstrap(
    metric: StructuredMetric,
    mine: List[Sums],
    baseline: List[Sums],
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """The difference of the means over seeds, over data and seeds that are drawn again.

    In each resample the instances are drawn with replacement, the same for all runs (Koehn 2004,
    "Statistical significance tests for machine translation evaluation"; Efron & Tibshirani 1993),
    and the runs of each method as well: both the test data and the seeds are samples. With few
    seeds the interval is rather too narrow.

    # Parameters

    mine, baseline : `List[Sums]`
        Of each run, `metric.sums_by_instance` of the same instances.

    # Raises

    `ValueError` where the runs are not over the same number of instances.
    """
    sizes = {len(next(iter(sums.values()))) for sums in [*mine, *baseline]}
    if len(sizes) > 1:
        raise ValueError(
            f"Expected the same instances for all runs, got data of the sizes {sorted(sizes)}."
        )
    (size,) = sizes
    generator = np.random.default_rng(seed)
    drawn = generator.integers(size, size=(resamples, size))
    counts = [torch.ones(size, dtype=torch.long)]  # first the data as they are
    counts += [torch.from_numpy(np.bincount(row, minlength=size)) for row in drawn]

    def means(runs: List[Sums]) -> np.ndarray:
        values = np.array(
            [[float(metric.value(metric.weighted(sums, n))) for n in counts] for sums in runs]
        )
        picked = generator.integers(len(runs), size=(len(runs), resamples))
        resampled = values[picked, np.arange(1, resamples + 1)].mean(axis=0)
        return np.concatenate([values[:, :1].mean(axis=0), resampled])

    differences = means(mine) - means(baseline)
    mean, resampled = differences[0], differences[1:]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    beyond = min((resampled <= 0).sum(), (resampled >= 0).sum())
    p = min(1.0, 2 * (beyond + 1) / (resamples + 1))  # never 0: there are so many resamples
    return Difference(float(mean), float(low), float(high), float(p))
