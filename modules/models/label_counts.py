"""The fit of balanced weights of labels to the training data, before the first step."""

from typing import Optional

import torch
from allennlp.data import DataLoader, Vocabulary

from ..losses import BalancedWeights
from ..output_spaces import OutputSpace


def fit_label_weights(
    model: torch.nn.Module, output_space: OutputSpace, vocab: Vocabulary, data_loader: DataLoader
) -> None:
    """Fit all `BalancedWeights` of a model that are not fitted yet to the labels of a loader.

    All workers call this function. It draws no random numbers, and does not count as an epoch.
    """
    balanced = [part for part in model.modules() if isinstance(part, BalancedWeights)]
    balanced = [part for part in balanced if not part.is_fitted]
    if not balanced:
        return
    positives, total = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for instance in data_loader.iter_instances():
        instance.index_fields(vocab)
        tensors = {
            name: field.as_tensor(field.get_padding_lengths()).unsqueeze(0)
            for name, field in instance.fields.items()
            if name in ("labels", "mask")
        }
        labels, mask = output_space.known(tensors["labels"], tensors.get("mask"))
        y = output_space.encode(labels, torch.float64)
        positives = positives + _mass(output_space, y, mask)
        total = total + _mass(output_space, torch.ones_like(y), mask)
    for part in balanced:
        part.fit(positives.float(), total.float())


def _mass(space: OutputSpace, y: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
    """Return the mass of each label, or of all where the outputs have no dimension of labels."""
    mass = space.label_mass(y, mask)
    return space.sum_positions(space.position_mass(y), mask).sum() if mass is None else mass
