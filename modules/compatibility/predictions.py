"""Lines to predict for, with their places in the file."""

import sys
from typing import Any, Dict, Iterable, Iterator

from allennlp.commands.predict import _PredictManager
from allennlp.common.file_utils import open_compressed
from allennlp.predictors import Predictor


class PlacedLine(Dict[str, Any]):
    """The dictionary of a line of JSON, with its place, such as `lines.jsonl, line 3`."""

    def __init__(self, content: Dict[str, Any], place: str) -> None:
        super().__init__(content)
        self.place = place


def at_its_place(line: Dict[str, Any], error: ValueError) -> ValueError:
    """Return an error about a line with its place, if the line has one."""
    return ValueError(f"{line.place}: {error}") if isinstance(line, PlacedLine) else error


def json_data(self: _PredictManager) -> Iterator[Dict[str, Any]]:
    """Yield the dictionaries of the lines of the input; blank lines are left out.

    # Raises

    `ValueError` for a line that the predictor does not read, and for text that is not UTF-8, with
    file and line.
    """
    source = self._input_file
    if source == "-":
        yield from _placed(self._predictor, "standard input", sys.stdin.buffer)
    else:
        with open_compressed(source, "rb", encoding=None) as lines:
            yield from _placed(self._predictor, str(source), lines)


def _placed(predictor: Predictor, source: str, lines: Iterable[bytes]) -> Iterator[Dict[str, Any]]:
    for number, raw in enumerate(lines, 1):
        place = f"{source}, line {number}"
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{place}: expected text in UTF-8, got the byte {raw[error.start]:#04x}; save the "
                "file as UTF-8."
            ) from None
        if line.isspace() or not line:
            continue
        try:
            content = predictor.load_line(line)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        yield PlacedLine(content, place)
