"""Checkpoints that are complete at any moment, and that contain data only."""

import functools
import os
import re
import shutil
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Callable, Set, Tuple, cast

import numpy as np
import torch
from allennlp.training import Checkpointer, GradientDescentTrainer

_find_all_checkpoints = Checkpointer._find_all_checkpoints
_maybe_restore_checkpoint = GradientDescentTrainer._maybe_restore_checkpoint

# Schedulers that compute with numpy (cosine, for one) leave numpy numbers in the optimiser's state.
# They are data, which `torch.load` may read.
torch.serialization.add_safe_globals(
    [
        cast(Callable[..., Any], np.float64(0).__reduce__()[0]),
        np.dtype,
        type(np.dtype(np.float64)),
        type(np.dtype(np.float32)),
        type(np.dtype(np.int64)),
    ]
)


def save(state: Any, path: str) -> None:
    """Save `state` at `path`, which holds the complete file or does not exist.

    # Raises

    `OSError` where the file cannot be written.
    """
    unfinished = f"{path}.unfinished"
    try:
        torch.save(state, unfinished)
        os.replace(unfinished, path)
    except (OSError, RuntimeError) as error:
        # torch reports a file that it cannot write as an error of torch's writer.
        if isinstance(error, RuntimeError) and not re.search("container|iostream", str(error)):
            raise
        with suppress(OSError):
            os.remove(unfinished)
        free = shutil.disk_usage(os.path.dirname(path) or ".").free
        raise OSError(
            f"Expected to write {path}, got '{str(error).splitlines()[0]}' from the disk, with "
            f"{free / 1e6:.0f} MB free; the previous checkpoint is complete: free some space, and "
            "resume with --recover."
        ) from error


# The functions of torch that AllenNLP's checkpointer calls.
checkpointer_torch = SimpleNamespace(save=save, load=torch.load)


def save_model_state(self: GradientDescentTrainer, path: str) -> None:
    """Save the weights of the trained model at `path`."""
    model = self.model if self._ddp_wrapped_model is None else self._ddp_wrapped_model
    save(model.state_dict(), path)


def maybe_restore_checkpoint(self: GradientDescentTrainer) -> None:
    """Restore the latest checkpoint, and `best.th` from it where it is the best so far.

    AllenNLP writes `best.th` after the checkpoint, so a run killed between the two has its best
    weights only in the checkpoint.
    """
    _maybe_restore_checkpoint(self)
    at_end_of_epoch = (
        self._start_after_epochs_completed > 0 and self._start_after_batches_in_epoch_completed == 0
    )
    validates = self._validation_data_loader is not None
    if at_end_of_epoch and validates and self._metric_tracker.is_best_so_far():
        _write_best_weights(self)


def _write_best_weights(trainer: GradientDescentTrainer) -> None:
    trainer._best_model_filename = os.path.join(trainer._serialization_dir, "best.th")
    if not trainer._primary:
        return
    if trainer._moving_average is not None:
        trainer._moving_average.assign_average_value()
    trainer._save_model_state(trainer._best_model_filename)
    if trainer._moving_average is not None:
        trainer._moving_average.restore()


@functools.wraps(_find_all_checkpoints)
def find_all_checkpoints(self: Checkpointer) -> Set[Tuple[int, int]]:
    """Return the checkpoints that have both of their files."""
    return {
        checkpoint
        for checkpoint in _find_all_checkpoints(self)
        if os.path.exists(self._training_state_path(*checkpoint))
    }
