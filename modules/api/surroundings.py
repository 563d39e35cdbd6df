"""The state of the process that a training changes."""

import logging
import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Iterator, List

from ..compatibility import hiding_bars
from ..models.standardization import logger as about_columns
from ..reporting import restoring_generators


@contextmanager
def restoring_surroundings(verbose: bool) -> Iterator[None]:
    """Restore at the end what a training changes in the process: the handlers of loggers, the level
    of the root logger, the hook of uncaught exceptions and the generators of random numbers.

    Unless `verbose`, nothing but warnings and errors is printed inside the context; those about
    columns of the data only go to the log of the run.
    """
    root = logging.getLogger()
    level, hook = root.level, sys.excepthook
    handlers = {logger: list(logger.handlers) for logger in _loggers()}
    with ExitStack() as stack:
        stack.enter_context(restoring_generators())
        if not verbose:
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(hiding_bars())
            about_columns.addFilter(_as_information)
            stack.callback(about_columns.removeFilter, _as_information)
        try:
            yield
        finally:
            for logger in _loggers():  # that of tqdm writes into the log of the run as well
                before = handlers.get(logger, [])
                for handler in set(logger.handlers) - set(before):
                    handler.close()
                logger.handlers[:] = before
            root.setLevel(level)
            sys.excepthook = hook


def _as_information(record: logging.LogRecord) -> bool:
    record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return True


def _loggers() -> List[logging.Logger]:
    known = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    return [logger for logger in known if isinstance(logger, logging.Logger)]
