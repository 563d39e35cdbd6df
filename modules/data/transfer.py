"""The way of a batch to its device."""

import numpy as np
import torch


def tensor_on(device: torch.device, values: np.ndarray) -> torch.Tensor:
    """Return the array as a tensor on the device, for which the host does not wait: CUDA copies
    the array before the call returns, and the work on the device comes after the copy."""
    return torch.from_numpy(values).to(device, non_blocking=True)
