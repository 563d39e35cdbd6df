"""A buffer of past samples."""

from typing import Optional

import torch

from .selection import choose


class ReplayBuffer(torch.nn.Module):
    """The latest samples of past batches, which Markov chains resume from. They are saved with the
    weights.

    # Parameters

    capacity : `int`
        The maximum number of samples.
    reset_rate : `float`
        The share of chains that start anew.
    """

    def __init__(self, capacity: int, reset_rate: float) -> None:
        super().__init__()
        self.capacity = capacity
        self.reset_rate = reset_rate
        self.samples: Optional[torch.Tensor] = None

    def resume(self, y: torch.Tensor) -> torch.Tensor:
        """Return the starts y, with all but a share `reset_rate` replaced by stored samples.

        # Raises

        `ValueError` if the stored samples have another shape than y.
        """
        if self.samples is None:
            return y
        if self.samples.shape[1:] != y.shape[2:]:
            raise ValueError(
                f"Expected outputs of one shape {tuple(self.samples.shape[1:])} for a buffer of "
                f"samples, got {tuple(y.shape[2:])}; set buffer_size: 0."
            )
        rows = torch.randint(len(self.samples), y.shape[:2], device=y.device)
        resumed = torch.rand(y.shape[:2], device=y.device) >= self.reset_rate
        return choose(resumed, self.samples.to(y)[rows], y)

    def keep(self, y: torch.Tensor) -> None:
        """Store the samples `(batch, num_samples, *event_shape)`; discard the oldest samples beyond
        the capacity."""
        new = y.detach().flatten(0, 1)
        samples = new if self.samples is None else torch.cat([self.samples.to(new), new])
        self.samples = samples[-self.capacity :].clone()

    def get_extra_state(self) -> torch.Tensor:
        """Return the samples, for a checkpoint."""
        return torch.empty(0) if self.samples is None else self.samples

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore the samples."""
        self.samples = state if len(state) else None
