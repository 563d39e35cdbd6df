"""The console of a command: results on stdout, warnings and errors on stderr."""

import logging
import os
import sys
from typing import Any

from allennlp.common import logging as common_logging

from .errors import is_hooked, say_errors_in_one_sentence
from .nodes import log_folder

PACKAGE = __name__.partition(".")[0]
# AllenNLP logs these warnings in each distributed or resumed run, in which nothing is wrong.
_NEEDLESS = (
    "completed its entire epoch (validation).",
    "/vocabulary is not empty",
    "Parameter local_rank for class",
)

_prepare_global_logging = common_logging.prepare_global_logging


def prepare_global_logging(serialization_dir: Any, rank: int = 0, world_size: int = 1) -> None:
    """Log to files and console as AllenNLP does, but print only the records that a user acts on.

    Records of level INFO of this package go to stdout, warnings and errors to stderr; `out.log`
    keeps every record. The environment variables `ALLENNLP_DEBUG` and `ALLENNLP_LOG_LEVEL` bring
    AllenNLP's own output back.
    """
    hooked = is_hooked()
    _prepare_global_logging(log_folder(serialization_dir), rank=rank, world_size=world_size)
    if hooked:  # AllenNLP has set its hook
        say_errors_in_one_sentence()
    quiet_handlers()


def is_command() -> bool:
    """Return whether this process runs `allennlp`, rather than a program that uses it."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return "allennlp.__main__" in sys.modules or getattr(spec, "name", "") == "allennlp.__main__"


def quiet_handlers() -> None:
    """Limit the root handlers of stdout and stderr, unless the user chose a level."""
    if os.environ.get("ALLENNLP_DEBUG") or os.environ.get("ALLENNLP_LOG_LEVEL"):
        return
    for handler in logging.getLogger().handlers:
        if type(handler) is not logging.StreamHandler:
            continue
        if handler.stream is sys.stdout:
            handler.addFilter(_is_result)
            handler.setFormatter(logging.Formatter("%(message)s"))
        elif handler.stream is sys.stderr:
            handler.setLevel(logging.WARNING)
            handler.addFilter(_is_needed)
            handler.setFormatter(logging.Formatter("%(levelname)s - %(name)s - %(message)s"))


def _is_result(record: logging.LogRecord) -> bool:
    return record.levelno < logging.WARNING and record.name.partition(".")[0] == PACKAGE


def _is_needed(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return record.levelno > logging.WARNING or not any(part in message for part in _NEEDLESS)
