"""Checkpoints that are whole, and are read as data."""

import functools
import os
import re
import shutil
import types
from contextlib import suppress
from typing import Any, Callable, Set, Tuple, cast

import numpy as np
import torch
from allennlp.training import Checkpointer, GradientDescentTrainer, checkpointer


def mend_loading_of_checkpoints() -> None:
    """torch.load reads data only. Schedulers that compute with numpy (cosine, for one) leave
    numpy numbers in the optimiser's state, which are data as well."""
    torch.serialization.add_safe_globals(
        [
            cast(Callable[..., Any], np.float64(0).__reduce__()[0]),
            np.dtype,
            type(np.dtype(np.float64)),
            type(np.dtype(np.float32)),
            type(np.dtype(np.int64)),
        ]
    )


def mend_saving_of_checkpoints() -> None:
    """A kill or a full disk left half a file, or one of a checkpoint's two, under the name that
    `--recover` reads. A file now gets its name when it is whole; a checkpoint has both."""

    def save(state: Any, path: str) -> None:
        unfinished = f"{path}.unfinished"
        try:
            torch.save(state, unfinished)
            os.replace(unfinished, path)
        except (OSError, RuntimeError) as error:
            # torch says of a file that it cannot write to where its own writer was.
            if isinstance(error, RuntimeError) and not re.search("container|iostream", str(error)):
                raise
            with suppress(OSError):
                os.remove(unfinished)
            free = shutil.disk_usage(os.path.dirname(path) or ".").free
            raise OSError(
                f"Expected to write {path}, got '{str(error).splitlines()[0]}' from the disk, with "
                f"{free / 1e6:.0f} MB free; the checkpoint before it is whole: make room, and go "
                "on with --recover."
            ) from error

    def save_model_state(self: GradientDescentTrainer, path: str) -> None:
        model = self.model if self._ddp_wrapped_model is None else self._ddp_wrapped_model
        save(model.state_dict(), path)

    # The weights that are the best so far are saved after the checkpoint that says so: a run killed
    # between the two has them in its checkpoint alone.
    def restore_best_weights(self: GradientDescentTrainer) -> None:
        self._best_model_filename = os.path.join(self._serialization_dir, "best.th")
        if not self._primary:
            return
        if self._moving_average is not None:
            self._moving_average.assign_average_value()
        self._save_model_state(self._best_model_filename)
        if self._moving_average is not None:
            self._moving_average.restore()

    original_restore = GradientDescentTrainer._maybe_restore_checkpoint

    @functools.wraps(original_restore)
    def maybe_restore_checkpoint(self: GradientDescentTrainer) -> None:
        original_restore(self)
        at_end_of_epoch = (
            self._start_after_epochs_completed > 0
            and self._start_after_batches_in_epoch_completed == 0
        )
        validates = self._validation_data_loader is not None
        if at_end_of_epoch and validates and self._metric_tracker.is_best_so_far():
            restore_best_weights(self)

    original = Checkpointer._find_all_checkpoints

    @functools.wraps(original)
    def find_all_checkpoints(self: Checkpointer) -> Set[Tuple[int, int]]:
        return {
            checkpoint
            for checkpoint in original(self)
            if os.path.exists(self._training_state_path(*checkpoint))
        }

    checkpointer.torch = types.SimpleNamespace(save=save, load=torch.load)
    Checkpointer._find_all_checkpoints = find_all_checkpoints
    GradientDescentTrainer._save_model_state = save_model_state
    GradientDescentTrainer._maybe_restore_checkpoint = maybe_restore_checkpoint
