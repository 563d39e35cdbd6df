"""Mixed precision, moving averages, W&B."""

import functools
import types
import uuid
from contextlib import nullcontext
from typing import Any, ContextManager, Dict

import torch
from allennlp.nn.parallel import ddp_accelerator
from allennlp.training import gradient_descent_trainer
from allennlp.training.callbacks import WandBCallback
from allennlp.training.moving_average import MovingAverage


def mend_automatic_mixed_precision() -> None:
    """`torch.cuda.amp` warns on every batch that it is deprecated; `torch.amp` is the same."""

    def autocast(enabled: bool = True) -> ContextManager[Any]:
        return torch.amp.autocast("cuda") if enabled else nullcontext()

    amp = types.SimpleNamespace(
        autocast=autocast, GradScaler=functools.partial(torch.amp.GradScaler, "cuda")
    )
    gradient_descent_trainer.amp = amp
    ddp_accelerator.amp = amp


def mend_moving_average() -> None:
    """`load_state_dict` put the checkpoint's parameters in place of the model's, which were
    then never averaged again after `--recover`."""

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


def mend_wandb() -> None:
    """The argument `anonymous` and `wandb.util.generate_id` are gone from current wandb."""
    original = WandBCallback.__init__

    @functools.wraps(original)
    def __init__(self: WandBCallback, *args: Any, **settings: Any) -> None:
        original(self, *args, **settings)
        self._wandb_kwargs.pop("anonymous", None)
        if self._run_id is None:
            self._run_id = uuid.uuid4().hex[:8]

    WandBCallback.__init__ = __init__
