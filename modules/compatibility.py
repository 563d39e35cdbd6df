"""What AllenNLP 2.10.1 needs to run on the current stack; imported with the package, applied once.

Each function mends one break where it is, and says which. Nothing else of a user's warnings or
behaviour is touched.
"""

import difflib
import functools
import inspect
import os
import re
import shutil
import types
import uuid
from contextlib import nullcontext, suppress
from typing import Any, Callable, ContextManager, Dict, List, Literal, Set, Tuple, cast

import numpy as np
import torch
from allennlp.commands import find_learning_rate
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import archival
from allennlp.nn.parallel import ddp_accelerator
from allennlp.training import (
    Checkpointer,
    GradientDescentTrainer,
    Trainer,
    checkpointer,
    gradient_descent_trainer,
)
from allennlp.training.callbacks import WandBCallback
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.learning_rate_schedulers.pytorch_lr_schedulers import (
    ReduceOnPlateauLearningRateScheduler,
)
from allennlp.training.moving_average import MovingAverage


@functools.cache
def mend() -> None:
    """Applies all mends; a second call does nothing."""
    _mend_automatic_mixed_precision()
    _mend_loading_of_checkpoints()
    _mend_saving_of_checkpoints()
    _mend_moving_average()
    _mend_wandb()
    _mend_dataset_reader_by_name()
    _mend_find_learning_rate()
    _mend_trainer_keys()
    _mend_messages_of_configs()


@LearningRateScheduler.register("reduce_on_plateau", exist_ok=True)
class ReduceOnPlateau(ReduceOnPlateauLearningRateScheduler):
    """AllenNLP's scheduler, without the argument `verbose`, which torch no longer has."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold_mode: Literal["rel", "abs"] = "rel",
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        # Past the base class's constructor, whose one line passes `verbose`, to that of its base.
        super(ReduceOnPlateauLearningRateScheduler, self).__init__(
            torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer,
                mode=mode,
                factor=factor,
                patience=patience,
                threshold_mode=threshold_mode,
                threshold=threshold,
                cooldown=cooldown,
                min_lr=min_lr,
                eps=eps,
            )
        )


def _mend_automatic_mixed_precision() -> None:
    # `torch.cuda.amp` warns on every batch that it is deprecated; `torch.amp` is the same.
    def autocast(enabled: bool = True) -> ContextManager[Any]:
        return torch.amp.autocast("cuda") if enabled else nullcontext()

    amp = types.SimpleNamespace(
        autocast=autocast, GradScaler=functools.partial(torch.amp.GradScaler, "cuda")
    )
    gradient_descent_trainer.amp = amp
    ddp_accelerator.amp = amp


def _mend_loading_of_checkpoints() -> None:
    # torch.load reads data only. Schedulers that compute with numpy (cosine, for one) leave numpy
    # numbers in the optimiser's state, which are data as well.
    torch.serialization.add_safe_globals(
        [
            cast(Callable[..., Any], np.float64(0).__reduce__()[0]),
            np.dtype,
            type(np.dtype(np.float64)),
            type(np.dtype(np.float32)),
            type(np.dtype(np.int64)),
        ]
    )


def _mend_saving_of_checkpoints() -> None:
    # A kill or a full disk left half a file, or one of a checkpoint's two, under the name that
    # `--recover` reads. A file now gets its name when it is whole; a checkpoint has both.
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


def _mend_moving_average() -> None:
    # `load_state_dict` put the checkpoint's parameters in place of the model's, which were then
    # never averaged again after `--recover`.
    def state_dict(self: MovingAverage) -> Dict[str, Any]:
        return {"shadows": self._shadows, "backups": self._backups}

    def load_state_dict(self: MovingAverage, state_dict: Dict[str, Any]) -> None:
        for mine, saved in (
            (self._shadows, state_dict["shadows"]),
            (self._backups, state_dict["backups"]),
        ):
            for name, value in saved.items():
                mine[name].copy_(value)

    MovingAverage.state_dict = state_dict
    MovingAverage.load_state_dict = load_state_dict


def _mend_wandb() -> None:
    # The argument `anonymous` and `wandb.util.generate_id` are gone from current wandb.
    original = WandBCallback.__init__

    @functools.wraps(original)
    def __init__(self: WandBCallback, *args: Any, **settings: Any) -> None:
        original(self, *args, **settings)
        self._wandb_kwargs.pop("anonymous", None)
        if self._run_id is None:
            self._run_id = uuid.uuid4().hex[:8]

    WandBCallback.__init__ = __init__


def _mend_dataset_reader_by_name() -> None:
    # `"dataset_reader": "arff"` trains, and then failed when the archive was loaded.
    original = archival._load_dataset_readers

    @functools.wraps(original)
    def load_dataset_readers(config: Params, serialization_dir: Any) -> Any:
        for key in ("dataset_reader", "validation_dataset_reader"):
            if isinstance(config.params.get(key), str):
                config[key] = {"type": config.params[key]}
        return original(config, serialization_dir)

    archival._load_dataset_readers = load_dataset_readers


def _mend_find_learning_rate() -> None:
    # `find-lr` refuses every trainer but `gradient_descent` by its name; `minimax` is one.
    original = find_learning_rate.find_learning_rate_model

    @functools.wraps(original)
    def find_learning_rate_model(params: Params, *args: Any, **settings: Any) -> None:
        if params["trainer"].get("type") != "minimax":
            original(params, *args, **settings)
            return
        params["trainer"]["type"] = "gradient_descent"

        def from_params(params: Params, **extras: Any) -> Trainer:
            params["type"] = "minimax"
            return Trainer.from_params(params=params, **extras)

        find_learning_rate.Trainer = types.SimpleNamespace(from_params=from_params)
        try:
            original(params, *args, **settings)
        finally:
            find_learning_rate.Trainer = Trainer

    find_learning_rate.find_learning_rate_model = find_learning_rate_model


def _mend_trainer_keys() -> None:
    # The trainer took any key and forgot it: a misspelt one, or all of `minimax` without its type.
    original = GradientDescentTrainer.__init__
    known = {*inspect.signature(original).parameters, "run_sanity_checks"}

    @functools.wraps(original)
    def __init__(self: GradientDescentTrainer, *args: Any, **settings: Any) -> None:
        unknown = sorted(settings.keys() - known)
        if unknown:
            raise ConfigurationError(
                f"Expected keys of the trainer {type(self).__name__}, got {unknown}; check their "
                "spelling, and the trainer's type."
            )
        original(self, *args, **settings)

    GradientDescentTrainer.__init__ = __init__


def _mend_messages_of_configs() -> None:
    # A misspelt key was reported without its place in the config, a misspelt name as a matter of
    # packages that are not imported.
    def assert_empty(self: Params, class_name: str) -> None:
        if self.params:
            raise ConfigurationError(
                f"Expected only keys of {class_name} {_place(self)}, got {sorted(self.params)} as "
                "well; check their spelling."
            )

    original = Params.pop_choice

    @functools.wraps(original)
    def pop_choice(self: Params, key: str, choices: List[Any], *args: Any, **settings: Any) -> Any:
        value = self.params.get(key)
        try:
            return original(self, key, choices, *args, **settings)
        except ConfigurationError:
            if not isinstance(value, str) or value in choices:
                raise
            near = difflib.get_close_matches(value, map(str, choices), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "is its package included?"
            raise ConfigurationError(
                f"Expected '{key}' {_place(self)} to be one of {choices}, got '{value}'; {hint}"
            ) from None

    Params.assert_empty = assert_empty
    Params.pop_choice = pop_choice


def _place(params: Params) -> str:
    return f"at '{params.history.rstrip('.')}' of the config" if params.history else "in the config"


mend()
