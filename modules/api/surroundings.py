"""The state of the process that a training changes."""

import logging
import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Iterator

from ..compatibility import hiding_bars
from ..reporting import restoring_generators


@contextmanager
def restoring_surroundings(verbose: bool) -> Iterator[None]:
    """Restore at the end what a training changes in the process: the handlers and the level of the
    root logger, the hook of uncaught exceptions and the generators of random numbers.

    Unless `verbose`, nothing but warnings and errors is printed inside the context.
    """
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    with ExitStack() as stack:
        stack.enter_context(restoring_generators())
        if not verbose:
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(hiding_bars())
        try:
            yield
        finally:
            for handler in set(root.handlers) - set(handlers):
                root.removeHandler(handler)
                handler.close()
            root.handlers[:] = handlers
            root.setLevel(level)
            sys.excepthook = hook
