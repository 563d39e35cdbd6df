"""Facts and doubts about rows of features and labels, as the reader reads them."""

from typing import Any, List, Sequence, Tuple

import numpy as np
from allennlp.data import Instance

from ...models.standardization import HUGE
from .found import counted, listed


def describe_rows(instances: Sequence[Instance]) -> Tuple[List[Tuple[str, str]], List[str]]:
    """Return the facts about labelled rows, and what looks wrong in them."""
    schema = instances[0].fields["x"].schema.columns
    features, labels = list(schema["features"]), list(schema["labels"])
    facts, warnings = _features(instances, features)
    of_labels, doubts = describe_labels(instances, labels)
    facts = [("rows", f"{len(instances):,}"), *facts, *of_labels]
    return facts, [*warnings, *doubts]


def _features(
    instances: Sequence[Instance], names: List[str]
) -> Tuple[List[Tuple[str, str]], List[str]]:
    columns = np.concatenate([each.fields["x"].columns for each in instances])
    values: Any = np.concatenate([each.fields["x"].values for each in instances])
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    missing = np.isnan(values)
    np.minimum.at(low, columns[~missing], values[~missing])
    np.maximum.at(high, columns[~missing], values[~missing])
    seen = np.bincount(columns, minlength=len(names))
    sparse = seen < len(instances)  # a column that is left out is 0
    low[sparse], high[sparse] = np.minimum(low[sparse], 0), np.maximum(high[sparse], 0)
    share = len(columns) / max(len(instances) * len(names), 1)
    facts = [
        (
            "features",
            f"{len(names):,}, {share:.0%} not zero, from {low.min():.4g} to {high.max():.4g}",
        )
    ]
    warnings = []
    unseen = [names[i] for i in np.flatnonzero(low > high)]
    if unseen:
        warnings.append(f"{counted(len(unseen), 'feature')} without any value: {listed(unseen)}.")
    constant = [names[i] for i in np.flatnonzero(low == high)]
    if constant:
        warnings.append(
            f"{counted(len(constant), 'feature')} with one value in all rows: {listed(constant)}."
        )
    largest = np.where(low > high, 0, np.maximum(np.abs(low), np.abs(high)))
    huge = [names[i] for i in np.flatnonzero(largest >= HUGE)]
    if huge:
        warnings.append(
            f"{counted(len(huge), 'feature')} with values of 1,000,000 and more: {listed(huge)}; "
            "leave out ids (ignore), and mark missing values as such if they stand for one."
        )
    empty = np.bincount(columns[missing], minlength=len(names))
    if empty.any():
        which = [names[i] for i in np.flatnonzero(empty)]
        warnings.append(f"{counted(int(empty.sum()), 'missing value')} in {listed(which)}.")
    return facts, warnings


def describe_labels(
    instances: Sequence[Instance], names: List[str]
) -> Tuple[List[Tuple[str, str]], List[str]]:
    """Return the facts about the labels of rows, and what looks wrong in them."""
    on = [each.fields["labels"].columns for each in instances]
    count = np.bincount(np.concatenate(on).astype(np.int64), minlength=len(names))
    without = sum(not len(each) for each in on)
    mean = count.sum() / len(instances)
    facts = [("labels", f"{len(names):,} ({listed(names)}), {mean:.2f} in a row")]
    warnings = []
    rare = [names[i] for i in np.flatnonzero(count < 2)]
    if rare:
        warnings.append(
            f"{counted(len(rare), 'label')} in fewer than 2 rows, which cannot be learned and "
            f"tested: {listed(rare)}."
        )
    always = [names[i] for i in np.flatnonzero(count == len(instances))]
    if always:
        warnings.append(f"{counted(len(always), 'label')} in every row: {listed(always)}.")
    if without:
        warnings.append(f"{counted(without, 'row')} without a label.")
    if len(instances) < 100:
        warnings.append(f"{counted(len(instances), 'row')}: too few to learn much from.")
    return facts, warnings
