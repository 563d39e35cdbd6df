"""Progress bars that fit the terminal, and few lines where there is no terminal."""

import functools
import logging
import sys
from time import time
from typing import Any, Dict, Optional, Sequence

from allennlp.common import logging as common_logging
from allennlp.common import tqdm as common_tqdm
from allennlp.training import util as training_util

DESCRIPTION = 36  # characters, so that 80 columns have room for a bar and its numbers
INTERVAL = 10.0  # seconds between lines where there is no terminal, and in the log

logger = logging.getLogger("tqdm")


class ProgressWriter:
    """The file that bars write to: a terminal shows them as they are, other output has a line for
    each ten seconds of a bar, and so has the log."""

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
        """Return that of stderr, whose width is the bar's."""
        return sys.stderr.fileno()

    def isatty(self) -> bool:
        """Return whether stderr is a terminal."""
        return sys.stderr.isatty()


def mend_progress_bars() -> None:
    """The description of a bar was longer than the terminal, so that no bar was seen; each bar
    stayed on the terminal, and other output had ten lines of it in each second."""
    create = common_tqdm.Tqdm.tqdm

    class Bar(common_tqdm._tqdm):  # in a notebook, AllenNLP has another one
        def set_description(self, desc: Optional[str] = None, refresh: bool = True) -> None:
            """Show as many of the values as fit."""
            self.set_description_str(_fitting(desc or ""), refresh)

    def tqdm(*arguments: Any, **settings: Any) -> Any:
        ours = {"file": ProgressWriter(), "leave": False, "dynamic_ncols": True}
        return create(*arguments, **{**ours, **settings})

    common_tqdm._tqdm = Bar
    common_tqdm.Tqdm.tqdm = staticmethod(tqdm)
    describe_with([])


def describe_with(names: Sequence[str]) -> None:
    """Show the loss and these metrics in the bars of training and validation."""
    training_util.description_from_metrics = functools.partial(_description, names)


def _description(names: Sequence[str], metrics: Dict[str, float]) -> str:
    shown = dict.fromkeys(("loss", *names))
    return ", ".join(f"{name}: {metrics[name]:.4f}" for name in shown if name in metrics)


def _fitting(description: str) -> str:
    """Return the first of the values, which commas part, that fit; part of one if it is alone.

    >>> _fitting("loss: 1.2345, example_f1: 0.5000, micro_f1: 0.5000 ||")
    'loss 1.2345, example_f1 0.5000'
    """
    text = description.removesuffix(" ||").replace(": ", " ")
    while len(text) > DESCRIPTION and ", " in text:
        text = text.rpartition(", ")[0]
    return text[:DESCRIPTION]
