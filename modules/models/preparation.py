"""The fit of the parts of a model that depend on the training data, before the first step."""

import functools
from typing import Any, Iterator, List

import torch
from allennlp.data import DataLoader, Vocabulary
from allennlp.data.fields import Field
from allennlp.nn.util import get_text_field_mask, move_to_device

from ..encoders import Moments, StandardizedEncoder
from ..networks import deterministic
from ..output_spaces import OutputSpace
from ..task_networks import CrossFittedTaskNetwork
from ..workers import all_gather_object
from .label_counts import fit_label_weights
from .standardization import fit_scaling

_ROWS = 512  # that are read at once


def fit_to_data(
    model: torch.nn.Module,
    vocab: Vocabulary,
    output_space: OutputSpace,
    data_loader: DataLoader,
    standardize: bool,
) -> None:
    """Fit the parts of a model that are not fitted yet to the data of a loader, of all workers.

    All workers call this function. It draws no random numbers, and does not count as an epoch.
    """
    fit_scaling(model, vocab, data_loader, standardize)
    fit_label_weights(model, output_space, vocab, data_loader)
    fit_encodings(model, vocab, data_loader)
    fit_folds(model, vocab, data_loader)


def fit_encodings(model: torch.nn.Module, vocab: Vocabulary, data_loader: DataLoader) -> None:
    """Fit each `StandardizedEncoder` to the encodings of the data."""
    parts = [part for part in model.modules() if isinstance(part, StandardizedEncoder)]
    parts = [part for part in parts if not part.is_fitted]
    if not parts:
        return
    found: List[List[Moments]] = [[] for _ in parts]
    with deterministic(*parts), torch.no_grad():
        for x in _batches(data_loader, vocab):
            x = move_to_device(x, parts[0].shift.device)
            for part, moments in zip(parts, found, strict=True):
                mask = get_text_field_mask(x) if part.position_dims == 1 else None
                moments.append(Moments.of(part.encoder(x, mask), mask))
    for part, moments in zip(parts, found, strict=True):
        everywhere = [each for worker in all_gather_object(moments) for each in worker]
        part.fit(functools.reduce(Moments.merged, everywhere))


def fit_folds(model: torch.nn.Module, vocab: Vocabulary, data_loader: DataLoader) -> None:
    """Tell each `CrossFittedTaskNetwork` the instances of the data."""
    parts = [part for part in model.modules() if isinstance(part, CrossFittedTaskNetwork)]
    for network in parts:
        if not len(network.seen):
            device = network.seen.device
            batches = (move_to_device(x, device) for x in _batches(data_loader, vocab))
            hashes = [network.hashes(x).cpu() for x in batches]
            network.add(torch.cat([h for each in all_gather_object(hashes) for h in each]))


def _batches(data_loader: DataLoader, vocab: Vocabulary) -> Iterator[Any]:
    fields: List[Field] = []
    for instance in data_loader.iter_instances():
        instance.index_fields(vocab)
        fields.append(instance.fields["x"])
        if len(fields) == _ROWS:
            yield _batch(fields)
            fields = []
    if fields:
        yield _batch(fields)


def _batch(fields: List[Field]) -> Any:
    lengths = [field.get_padding_lengths() for field in fields]
    padded = {key: max(each[key] for each in lengths) for key in lengths[0]}
    return fields[0].batch_tensors([field.as_tensor(padded) for field in fields])
