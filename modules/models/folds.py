"""The training data of cross-fitted task networks, before the first step."""

from typing import Any, Iterator, List

import torch
from allennlp.data import DataLoader, Vocabulary
from allennlp.data.fields import Field
from allennlp.nn.util import move_to_device

from ..task_networks import CrossFittedTaskNetwork
from ..workers import all_gather_object

_ROWS = 512  # that are hashed at once


def fit_folds(model: torch.nn.Module, vocab: Vocabulary, data_loader: DataLoader) -> None:
    """Tell each `CrossFittedTaskNetwork` of a model that knows no training data yet those of a
    loader, of all workers.

    All workers call this function. It draws no random numbers, and does not count as an epoch.
    """
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
