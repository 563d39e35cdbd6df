"""The fit of the features' scaling to the training data, before the first step."""

import logging
from typing import Iterator, List, Sequence, Tuple

import numpy as np
import torch
from allennlp.data import DataLoader, Vocabulary

from ..data import RowField
from ..feature_scaling import FeatureScaling, Statistics, statistics
from ..vocabulary import names
from ..workers import is_first

logger = logging.getLogger(__name__)

HUGE = 1e6


def fit_scaling(
    model: torch.nn.Module, vocab: Vocabulary, data_loader: DataLoader, standardize: bool
) -> None:
    """Fit every `FeatureScaling` of a model that is not fitted yet to the data of a loader.

    All workers call this function. It draws no random numbers, and does not count as an epoch.
    """
    scalings = [part for part in model.modules() if isinstance(part, FeatureScaling)]
    scalings = [scaling for scaling in scalings if not scaling.is_fitted]
    if not scalings:
        return
    feature_names = names(vocab, "features")
    num_rows, places, values = 0, [], []
    for row_places, row_values in _rows(data_loader, vocab):
        num_rows += 1
        places.append(row_places)
        values.append(row_values)
    found = statistics(
        num_rows,
        np.concatenate([np.zeros(0, dtype=np.int64), *places]),
        np.concatenate([np.zeros(0), *values]),
        len(feature_names),
    )
    for scaling in scalings:
        scaling.fit(found, standardize)
    if is_first():
        for sentence in warnings_of(found, feature_names, standardize):
            logger.warning(sentence)


def _rows(data_loader: DataLoader, vocab: Vocabulary) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
    """Yield the features of each row that are not zero, and their values."""
    for instance in data_loader.iter_instances():
        instance.index_fields(vocab)
        field = instance.fields["x"]
        if isinstance(field, RowField):
            values = field.place_values()
            places = field.places()
            yield places, np.ones(len(places)) if values is None else values
        else:
            dense = field.as_tensor(field.get_padding_lengths()).numpy()
            places = np.flatnonzero(dense)
            yield places, dense[places]


def warnings_of(found: Statistics, feature_names: Sequence[str], standardize: bool) -> List[str]:
    """Return a sentence for each kind of features that look wrong: those without any value, those
    that are constant in data that are not sparse, huge ones, and scales that differ widely where
    they are not standardised."""
    sentences = []
    is_dense = 4 * found.num_nonzero.sum() > found.num_values.sum()
    largest = np.maximum(np.abs(found.smallest), np.abs(found.largest))
    largest = np.where(found.num_values > 0, largest, 0)
    for wrong, sentence in (
        (found.num_values == 0, "no row of the training data has a value of {}; leave it out."),
        (
            found.is_constant
            & (found.num_values > 0)
            & is_dense
            & (found.num_values.max(initial=0) > 1),
            "all rows of the training data have the same value of {}; it tells nothing.",
        ),
        (
            largest >= HUGE,
            "values of 1,000,000 and more in {}; leave it out if these are ids, and mark missing "
            "values as such if they stand for one.",
        ),
    ):
        if wrong.any():
            sentences.append("Features: " + sentence.format(_listed(feature_names, wrong)))
    spread = np.sqrt(found.variance[~found.is_constant])
    if not standardize and len(spread) and spread.max() > 100 * spread.min():
        sentences.append(
            f"Features: standard deviations from {spread.min():.3g} to {spread.max():.3g}, which "
            "networks learn badly from; set 'standardize' of the model to true."
        )
    return sentences


def _listed(feature_names: Sequence[str], chosen: np.ndarray) -> str:
    places = np.flatnonzero(chosen)
    listed = ", ".join(f"'{feature_names[place][:40]}'" for place in places[:5])
    return listed + (f" and {len(places) - 5} more" if len(places) > 5 else "")
