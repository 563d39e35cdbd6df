"""Samples that chains go on from."""

from typing import Optional

import torch

from .selection import choose


class ReplayBuffer(torch.nn.Module):
    """The latest samples of past batches, at most `capacity`, saved with the weights.

    # Parameters

    capacity : `int`
    reset_rate : `float`
        The share of chains that start anew.
    """

    def __init__(self, capacity: int, reset_rate: float) -> None:
        super().__init__()
        self.capacity = capacity
        self.reset_rate = reset_rate
        self.held: Optional[torch.Tensor] = None

    def resume(self, y: torch.Tensor) -> torch.Tensor:
        """The starts y, with all but a share `reset_rate` replaced by held samples.

        # Raises

        `ValueError` where outputs have another shape than those that are held.
        """
        if self.held is None:
            return y
        if self.held.shape[1:] != y.shape[2:]:
            raise ValueError(
                f"Expected outputs of one shape {tuple(self.held.shape[1:])} for a buffer of "
                f"samples, got {tuple(y.shape[2:])}; set buffer_size: 0."
            )
        rows = torch.randint(len(self.held), y.shape[:2], device=y.device)
        resumed = torch.rand(y.shape[:2], device=y.device) >= self.reset_rate
        return choose(resumed, self.held.to(y)[rows], y)

    def keep(self, y: torch.Tensor) -> None:
        """Takes the samples `(batch, num_samples, *event_shape)`; the oldest make room."""
        new = y.detach().flatten(0, 1)
        held = new if self.held is None else torch.cat([self.held.to(new), new])
        self.held = held[-self.capacity :].clone()

    def get_extra_state(self) -> torch.Tensor:
        """What is saved: the samples."""
        return torch.empty(0) if self.held is None else self.held

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Goes on from saved samples."""
        self.held = state if len(state) else None
