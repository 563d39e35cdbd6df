"""Progress bars that fit the terminal, and few lines without a terminal."""

import logging
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from time import time
from typing import Any, Dict, Iterator, Optional, Sequence

from allennlp.common import logging as common_logging
from allennlp.common import tqdm as common_tqdm

DESCRIPTION = 36  # characters, so that 80 columns have room for a bar and its numbers
INTERVAL = 10.0  # seconds between lines in the log, and of a bar without a terminal

logger = logging.getLogger("tqdm")

_create_bar = common_tqdm.Tqdm.tqdm


class ProgressWriter:
    """The file that bars write to.

    A terminal shows every state of a bar; other output and the log get one line in ten seconds.
    """

    def __init__(self) -> None:
        self._printed = self._logged = time()

    def write(self, text: str) -> None:
        """Write one state of a bar."""
        on_terminal = self.isatty() and not common_logging.FILE_FRIENDLY_LOGGING
        if on_terminal:
            sys.stderr.write(text)
        line = common_tqdm.replace_cr_with_newline(text).strip()
        if not line:
            return
        now = time()
        if not on_terminal and now - self._printed >= INTERVAL:
            sys.stderr.write(f"{line}\n")
            self._printed = now
        if now - self._logged >= INTERVAL or "100%" in line:
            logger.info(line)
            self._logged = now

    def flush(self) -> None:
        """Flush stderr."""
        sys.stderr.flush()

    def fileno(self) -> int:
        """Return the descriptor of stderr, from which the bar takes its width."""
        return sys.stderr.fileno()

    def isatty(self) -> bool:
        """Return whether stderr is a terminal."""
        return sys.stderr.isatty()


def _base() -> Any:
    """Return the class of bars: that of notebooks in a notebook whose widgets are installed."""
    # AllenNLP looks at the shell; in a notebook it takes a function, which is not a class.
    if "zmqshell" in common_tqdm.SHELL and find_spec("ipywidgets"):
        return import_module("tqdm.notebook").tqdm
    return import_module("tqdm").tqdm


class Bar(_base()):  # type: ignore[misc]
    """A progress bar whose description leaves room for the bar."""

    hidden = False

    def set_description(self, desc: Optional[str] = None, refresh: bool = True) -> None:
        """Show as many of the values as fit."""
        self.set_description_str(_fitting(desc or ""), refresh)


@contextmanager
def hiding_bars() -> Iterator[None]:
    """Show no progress bar inside the context."""
    before, Bar.hidden = Bar.hidden, True
    try:
        yield
    finally:
        Bar.hidden = before


def tqdm(*arguments: Any, **settings: Any) -> Any:
    """Create a bar that fits the terminal and disappears at its end."""
    defaults = {
        "file": ProgressWriter(),
        "leave": False,
        "dynamic_ncols": True,
        "disable": Bar.hidden,
    }
    return _create_bar(*arguments, **{**defaults, **settings})


class MetricsDescription:
    """The description of a bar of training or validation: the loss and the named metrics."""

    def __init__(self) -> None:
        self.names: Sequence[str] = ()

    def __call__(self, metrics: Dict[str, float]) -> str:
        """Return the values of the metrics."""
        shown = dict.fromkeys(("loss", *self.names))
        return ", ".join(f"{name}: {metrics[name]:.4f}" for name in shown if name in metrics)


metrics_description = MetricsDescription()


def describe_with(names: Sequence[str]) -> None:
    """Show the loss and these metrics in the bars of training and validation."""
    metrics_description.names = names


def _fitting(description: str) -> str:
    """Return as many of the values, from the first, as fit; part of the first if it is too long.

    >>> _fitting("loss: 1.2345, example_f1: 0.5000, micro_f1: 0.5000 ||")
    'loss 1.2345, example_f1 0.5000'
    """
    text = description.removesuffix(" ||").replace(": ", " ")
    while len(text) > DESCRIPTION and ", " in text:
        text = text.rpartition(", ")[0]
    return text[:DESCRIPTION]
