"""The training data of cross-fitted task networks, before the first step."""

from typing import Iterator, List

import torch
from allennlp.data import DataLoader, Vocabulary

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
            hashes = [network.hashes(x.to(device)).cpu() for x in _batches(data_loader, vocab)]
            network.add(torch.cat([h for each in all_gather_object(hashes) for h in each]))


def _batches(data_loader: DataLoader, vocab: Vocabulary) -> Iterator[torch.Tensor]:
    rows: List[torch.Tensor] = []
    for instance in data_loader.iter_instances():
        instance.index_fields(vocab)
        field = instance.fields["x"]
        rows.append(field.as_tensor(field.get_padding_lengths()))
        if len(rows) == _ROWS:
            yield torch.stack(rows)
            rows = []
    if rows:
        yield torch.stack(rows)
