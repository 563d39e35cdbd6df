"""The random generators of a run, and their state in its checkpoints."""

import random
from typing import Any, Dict, Optional

import torch
from allennlp.data import DataLoader


def _python_state() -> Dict[str, Any]:
    _, words, gauss = random.getstate()
    return {"words": torch.tensor(words), "gauss": gauss}


def _set_python_state(state: Dict[str, Any]) -> None:
    random.setstate((3, tuple(state["words"].tolist()), state["gauss"]))


class RandomState:
    """Record the random generators of a worker, and restore them when the run is recovered.

    A recovered run of AllenNLP reads the data of the completed epochs again, to repeat the order
    that the data loader draws from Python's `random`. It does not repeat other draws from the same
    generator, such as those of a shuffled validation set. Therefore the state at the start of every
    epoch is recorded, or only that of the last epoch if the data loader declares its epochs
    independent. The generators of torch, which dropout and samplers draw from, are restored at the
    first batch that is trained on, or at the end of an epoch without one.
    """

    def __init__(self, device: torch.device, data_loader: DataLoader) -> None:
        self._device = device
        self._independent = getattr(data_loader, "independent_epochs", False)
        self._epochs: Dict[int, Dict[str, Any]] = {}
        self._torch: Optional[Dict[str, Any]] = None

    def start_epoch(self, epoch: int) -> None:
        """Record the state of Python's generator, or restore the recorded one.

        Call this before the data of an epoch are read, for the first time or again.
        """
        if epoch in self._epochs:
            _set_python_state(self._epochs[epoch])
        elif epoch > max(self._epochs, default=-1):
            self._epochs = self._with(epoch)

    def _with(self, epoch: int) -> Dict[int, Dict[str, Any]]:
        earlier = {} if self._independent else self._epochs
        return {**earlier, epoch: _python_state()}

    def restore(self) -> None:
        """Restore all generators in a recovered run that has no epoch left to train."""
        _set_python_state(self._epochs[max(self._epochs)])
        self.restore_torch()

    def restore_torch(self) -> None:
        """Restore the generators of torch if a checkpoint was loaded since the last call.

        Call this before a batch that is trained on, and after an epoch.
        """
        if self._torch is not None:
            torch.set_rng_state(self._torch["cpu"])
            if self._device.type == "cuda":
                torch.cuda.set_rng_state(self._torch["cuda"], self._device)
            self._torch = None

    def state_dict(self, between_epochs: bool) -> Dict[str, Any]:
        """Return the current states; `between_epochs` says that the next batch begins an epoch."""
        on_cuda = self._device.type == "cuda"
        return {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self._device) if on_cuda else None,
            "epochs": self._with(max(self._epochs) + 1) if between_epochs else self._epochs,
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Load the states of a checkpoint. The generators change only at the next call of
        `start_epoch`, `restore` or `restore_torch`."""
        self._epochs = dict(state_dict["epochs"])
        self._torch = state_dict
