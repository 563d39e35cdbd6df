"""The state of the random generators of a run, for its checkpoints."""

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
    """Follows the generators of a worker through a run, and puts them back when it is recovered.

    AllenNLP recovers by reading the data of the finished epochs once more, for the order that the
    data loader draws from Python's `random`. What else draws from it in between (a validation set
    that is shuffled, for one) is not repeated, so the state at the start of every epoch is kept; of
    the last one alone where the loader says that its epochs are independent. Torch's generators,
    which dropout and samplers draw from, are put back at the first batch that is not skipped, or at
    the end of an epoch that has none.
    """

    def __init__(self, device: torch.device, data_loader: DataLoader) -> None:
        self._device = device
        self._independent = getattr(data_loader, "independent_epochs", False)
        self._epochs: Dict[int, Dict[str, Any]] = {}
        self._torch: Optional[Dict[str, Any]] = None

    def start_epoch(self, epoch: int) -> None:
        """Before the data of an epoch are read, for the first time or once more."""
        if epoch in self._epochs:
            _set_python_state(self._epochs[epoch])
        elif epoch > max(self._epochs, default=-1):
            self._epochs = self._with(epoch)

    def _with(self, epoch: int) -> Dict[int, Dict[str, Any]]:
        before = {} if self._independent else self._epochs
        return {**before, epoch: _python_state()}

    def put_back(self) -> None:
        """After the last epoch, where a recovered run had none left to train."""
        _set_python_state(self._epochs[max(self._epochs)])
        self.put_back_torch()

    def put_back_torch(self) -> None:
        """Before a batch that is trained on, and after an epoch that had none left."""
        if self._torch is not None:
            torch.set_rng_state(self._torch["cpu"])
            if self._device.type == "cuda":
                torch.cuda.set_rng_state(self._torch["cuda"], self._device)
            self._torch = None

    def state_dict(self, between_epochs: bool) -> Dict[str, Any]:
        """The states now; `between_epochs` says that the next batch begins an epoch."""
        on_cuda = self._device.type == "cuda"
        return {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self._device) if on_cuda else None,
            "epochs": self._with(max(self._epochs) + 1) if between_epochs else self._epochs,
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Takes the states of a checkpoint, to be put back when their time comes."""
        self._epochs = dict(state["epochs"])
        self._torch = state
