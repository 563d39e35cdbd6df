"""Functions of each position of outputs, and their sums over real positions."""

from abc import ABC, abstractmethod
from typing import Optional, Union

import torch


class Positions(ABC):
    """The functions of an output space that are sums over positions.

    A subclass gives the values of each position, `(batch, num_samples, *position_shape)`; the sums
    leave out what a mask `(batch, *position_shape)` does not have.
    """

    @abstractmethod
    def position_log_prob(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return log p(y | logits) of each position: linear in y, finite where p underflows."""

    def position_log_likelihood(
        self, logits: torch.Tensor, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return what the cross-entropy maximises at each position: by default log p(y* | logits).
        Positions outside the mask reach no other one."""
        return self.position_log_prob(logits, truth)

    @abstractmethod
    def position_distance(self, y: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return the distance of each position, in [0, 1]."""

    @abstractmethod
    def position_dot(self, y: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return the bilinear form of each position: the label mass that two outputs share, or the
        linear score if `other` holds potentials."""

    @abstractmethod
    def position_mass(self, y: torch.Tensor) -> torch.Tensor:
        """Return the label mass of each position, in [0, 1]."""

    def shared_mass(
        self, y: torch.Tensor, other: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the label mass over real positions that each y shares with each other output, a
        sum of `position_dot`, `(batch, num_samples, num_others)`."""
        return self.zero_padding(y, mask).flatten(2) @ other.flatten(2).transpose(1, 2)

    def log_prob(
        self, logits: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return log p(y | logits), a sum over real positions, `(batch, num_samples)`."""
        return self.sum_positions(self.position_log_prob(logits, y), mask)

    def log_probs(
        self, logits: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return log p(y | logits) of each y under each of several logits `(batch, num_logits,
        *event_shape)`: `(batch, num_samples, num_logits)`."""
        columns = [self.log_prob(each.unsqueeze(1), y, mask) for each in logits.unbind(1)]
        return torch.stack(columns, 2)

    def distance(
        self, y: torch.Tensor, other: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the mean distance over real positions, in [0, 1], `(batch, num_samples)`."""
        distances = self.position_distance(y, other)
        total = self.sum_positions(distances, mask)
        return total / self.sum_positions(torch.ones_like(distances), mask).clamp(min=1.0)

    def num_positions(
        self, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Union[int, torch.Tensor]:
        """Return the number of real positions of y, at least 1: `(batch, 1)` with a mask, otherwise
        one number for all instances."""
        if mask is None:
            return max(self.position_mass(y[:1, :1]).numel(), 1)
        return mask.flatten(1).sum(1, keepdim=True).clamp(min=1)

    def sum_positions(
        self, values: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the sum over real positions of values `(batch, num_samples, *position_shape)`; the
        only masked reduction: padding, even NaN, changes nothing."""
        if mask is not None:
            if mask.shape != values.shape[:1] + values.shape[2:]:
                raise ValueError(
                    "Expected a mask of shape (batch, *position_shape) = "
                    f"{tuple(values.shape[:1] + values.shape[2:])}, got {tuple(mask.shape)}."
                )
            values = values.masked_fill(~mask.unsqueeze(1), 0.0)
        return values.sum(tuple(range(2, values.dim())))

    def zero_padding(self, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return y `(batch, num_samples, *event_shape)` with zeros at masked positions."""
        if mask is None:
            return y
        inside = (1,) * (y.dim() - 1 - mask.dim())  # the dimensions of a position
        return y.masked_fill(~mask.view(len(mask), 1, *mask.shape[1:], *inside), 0.0)
