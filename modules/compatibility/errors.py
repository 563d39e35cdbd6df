"""Errors of a user, in one sentence; errors of the code keep their traceback."""

import atexit
import inspect
import logging
import os
import re
import select
import sys
from types import CodeType, TracebackType
from typing import Any, Callable, Iterator, Optional, Type

from allennlp.common.checks import ConfigurationError
from allennlp.common.registrable import Registrable
from allennlp.common.util import SigTermReceived
from torch.multiprocessing import ProcessRaisedException
from torch.nn import Module

from ..startup import MissingPackageError

_PACKAGE = __name__.partition(".")[0]
# The form of the messages that this package writes; Python's, such as that of `int("x")`, differ.
_WORDS = re.compile(r"(?:\A|: |\. )(?:[Ee]xpected|got)\b")
_USER_ERROR = re.compile(
    r"(?:[\w.]+\.)?(?:ConfigurationError|MissingPackageError|NanLossError): (.+)"
)


def sentence(error: BaseException) -> Optional[str]:
    """Return the message for an error of a user in one line, or None for an error of the code.

    An interrupt is said in one sentence too. Errors of a user are a `ConfigurationError`, an
    `OSError`, a package that AllenNLP lacks, a `ValueError` of this package with a message such as
    "expected …, got …", and a constructor that does not call its base's.
    """
    message: Optional[str] = None
    if isinstance(error, (KeyboardInterrupt, SigTermReceived)):
        signal = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else "the signal SIGTERM"
        message = f"Stopped by {signal}."
    elif isinstance(error, OSError):
        message = _of_file(error)
    elif isinstance(error, (ConfigurationError, MissingPackageError)) or (
        isinstance(error, ValueError) and _is_of_package(error)
    ):
        message = str(error)
    elif isinstance(error, AttributeError):
        message = _of_constructor(error)
    elif isinstance(error, ProcessRaisedException):  # the traceback of a worker, as text
        match = _USER_ERROR.fullmatch(str(error).rstrip().splitlines()[-1])
        message = match and match[1]
    return " ".join(message.split()) if message else None


def say_errors_in_one_sentence() -> None:
    """End this process with one sentence on standard error after an error of a user.

    The traceback goes to the log file of the run, if there is one; the environment variable
    ALLENNLP_DEBUG prints it on standard error as well. The exit status is 1, as after any error.
    """
    if not is_hooked():
        sys.excepthook = _Hook(sys.excepthook)
        atexit.register(_flush)


def say_errors_of_commands() -> None:
    """Say errors in one sentence if `allennlp` is the running program.

    In any other program, such as a notebook, exceptions stay as they are.
    """
    if any(_is_main(code) for code in _running()):
        say_errors_in_one_sentence()


def is_hooked() -> bool:
    """Return whether this process says errors of a user in one sentence."""
    return isinstance(sys.excepthook, _Hook)


class _Hook:
    """A `sys.excepthook` that says errors of a user, and leaves others to the previous hook."""

    def __init__(self, previous: Callable[..., Any]) -> None:
        self.previous = previous

    def __call__(
        self, kind: Type[BaseException], error: BaseException, trace: Optional[TracebackType]
    ) -> None:
        if isinstance(error, BrokenPipeError) and _has_no_reader():
            _discard_output()
            return
        message = None if os.environ.get("ALLENNLP_DEBUG") else sentence(error)
        if message is None:
            self.previous(kind, error, trace)
            return
        root = logging.getLogger()
        record = root.makeRecord(
            __name__, logging.ERROR, __file__, 0, message, (), (kind, error, trace)
        )
        for handler in root.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handle(record)
        sys.stderr.write(f"Error: {message}\n")


def _has_no_reader() -> bool:
    """Return whether standard output is a pipe that nobody reads any more, as after `head`."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()


def _is_main(code: CodeType) -> bool:
    path = code.co_filename.replace(os.sep, "/")
    return code.co_name == "main" and path.endswith("allennlp/commands/__init__.py")


def _running() -> Iterator[CodeType]:
    frame = inspect.currentframe()
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _innermost(error: BaseException) -> Any:
    """Return the frame that raised the error, or None if the error was never raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace and trace.tb_frame


def _is_of_package(error: ValueError) -> bool:
    """Return whether this package raised the error, with a message such as "expected …, got …"."""
    frame = _innermost(error)
    name = "" if frame is None else str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] == _PACKAGE and _WORDS.search(str(error)) is not None


def _of_file(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error) or type(error).__name__
    return f"{error.filename}: {error.strerror}."


def _of_constructor(error: AttributeError) -> Optional[str]:
    owner = error.obj
    if owner is None:  # raised by torch for a module that is not initialised
        frame = _innermost(error)
        owner = None if frame is None else frame.f_locals.get("self")
    if not isinstance(owner, (Module, Registrable)):
        return None
    classes = [kind for kind in type(owner).__mro__ if "__init__" in vars(kind)]
    for kind, base in zip(classes, classes[1:], strict=False):
        code = getattr(inspect.unwrap(vars(kind)["__init__"]), "__code__", None)
        if code is None or "__init__" in code.co_names:
            continue
        if base is object:
            return None
        return (
            f"Expected the constructor of {kind.__module__}.{kind.__qualname__} to call "
            f"super().__init__(...) first, got none: {error}."
        )
    return None
