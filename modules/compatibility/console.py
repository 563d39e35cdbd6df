"""The console of a command: results on stdout, warnings and errors on stderr."""

import logging
import os
import sys
from typing import Any

from allennlp.commands import train
from allennlp.common import logging as common_logging

PACKAGE = __name__.partition(".")[0]
# AllenNLP warns of these in each distributed run, or each run that is resumed: nothing is wrong.
_NO_NEWS = (
    "completed its entire epoch (validation).",
    "/vocabulary is not empty",
    "Parameter local_rank for class",
)

_train_worker = train._train_worker


def mend_console() -> None:
    """Print only what a user acts on: INFO records of this package on stdout, warnings and errors
    on stderr. `out.log` keeps every record. `ALLENNLP_DEBUG` and `ALLENNLP_LOG_LEVEL`, if set,
    bring AllenNLP's own output back."""
    prepare = common_logging.prepare_global_logging

    def prepare_global_logging(serialization_dir: Any, rank: int = 0, world_size: int = 1) -> None:
        prepare(serialization_dir, rank=rank, world_size=world_size)
        quiet_handlers()

    common_logging.prepare_global_logging = prepare_global_logging
    train._train_worker = train_worker
    if is_command():
        quiet_handlers()


def is_command() -> bool:
    """Return whether this process runs `allennlp`, rather than a program that uses it."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return "allennlp.__main__" in sys.modules or getattr(spec, "name", "") == "allennlp.__main__"


def train_worker(*arguments: Any, **settings: Any) -> Any:
    """Train as AllenNLP's worker does. A spawned process imports this package in order to find
    this function, and so before it logs anything."""
    return _train_worker(*arguments, **settings)


def quiet_handlers() -> None:
    """Limit the root handlers of stdout and stderr, unless the user chose a level."""
    if os.environ.get("ALLENNLP_DEBUG") or os.environ.get("ALLENNLP_LOG_LEVEL"):
        return
    for handler in logging.getLogger().handlers:
        if type(handler) is not logging.StreamHandler:
            continue
        if handler.stream is sys.stdout:
            handler.addFilter(_concerns_user)
            handler.setFormatter(logging.Formatter("%(message)s"))
        elif handler.stream is sys.stderr:
            handler.setLevel(logging.WARNING)
            handler.addFilter(_is_news)
            handler.setFormatter(logging.Formatter("%(levelname)s - %(name)s - %(message)s"))


def _concerns_user(record: logging.LogRecord) -> bool:
    return record.levelno < logging.WARNING and record.name.partition(".")[0] == PACKAGE


def _is_news(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return record.levelno > logging.WARNING or not any(part in message for part in _NO_NEWS)
