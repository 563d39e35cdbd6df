"""ARFF files, dense and sparse, as Weka, Mulan and MEKA write them.

Published parsers take several seconds for a sparse file of the size of bibtex; the time to read is
a part of every run, so this one reads straight into columns and numbers.
"""

import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .arff_header import ArffHeader, Attribute, read_header
from .arff_tokens import (
    GrammarError,
    is_plain,
    split_braces,
    split_cells,
    split_entries,
    unquote,
    without_comment,
)
from .fields import LARGEST, is_finite

__all__ = ["ArffHeader", "ArffRow", "Attribute", "read_arff"]

_WEIGHT = re.compile(r"[\s,]*\{([^{}'\"]*)\}$")


class ArffRow(NamedTuple):
    """The numbers of one row: a nominal value as its code, a missing one as NaN."""

    line: int
    attributes: np.ndarray
    values: np.ndarray


def read_arff(path: str, encoding: str = "utf-8") -> Tuple[ArffHeader, Iterator[ArffRow]]:
    """Return the header of a file, and its rows.

    A dense row has all attributes, a sparse row those that it names (see `Attribute.first` for the
    others). The grammar is Weka's (https://waikato.github.io/weka-wiki/formats_and_processing/
    arff_stable/), without the types `string`, `date` and `relational` and without weights.

    # Raises

    `ValueError` for text that is not ARFF, with file and line.
    """
    lines = _read_text(path, encoding).split("\n")  # a name may have other ends of lines in it
    header = read_header(path, lines)
    return header, _read_rows(path, lines, header)


def _read_text(path: str, encoding: str) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: expected a readable ARFF file, got: {error.strerror}.") from None
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content.count(b"\n", 0, start) + 1
        raise ValueError(
            f"{path}, line {line}: expected text in the encoding '{encoding}', got the byte "
            f"0x{content[start]:02x}; set 'encoding' of the dataset reader, for example to "
            "'latin-1'."
        ) from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\ufeff")  # the byte order mark


def _read_rows(path: str, lines: List[str], header: ArffHeader) -> Iterator[ArffRow]:
    cells = _Cells(header.attributes)
    everywhere: Sequence[int] = range(len(header.attributes))
    everything = np.array(everywhere)
    for number, line in enumerate(lines[header.data_line :], header.data_line + 1):
        line = without_comment(line)
        if not line:
            continue
        try:
            indices: Sequence[int]
            if line[0] == "{":
                indices, words = _sparse_row(line, cells.places)
                places = np.array(indices, dtype=np.int64)
            else:
                words = _dense_row(line, len(everything))
                indices, places = everywhere, everything
            values = cells.numbers(indices, words)
        except GrammarError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        yield ArffRow(number, places, values)


class _Cells:
    """The numbers that the words of a row stand for."""

    def __init__(self, attributes: List[Attribute]) -> None:
        self.attributes = attributes
        self.places = {str(place): place for place in range(len(attributes))}
        self._only_nominal = all(attribute.values is not None for attribute in attributes)
        # For each attribute a quick function, which serves most words.
        self._quick: List[Callable[[str], Optional[float]]] = [
            float if attribute.values is None else _plain_codes(attribute).get
            for attribute in attributes
        ]

    def numbers(self, indices: Sequence[int], words: List[str]) -> np.ndarray:
        """Return the numbers of words, which are of the attributes `indices`."""
        quick = self._quick
        found: List[Optional[float]] = [None]
        with suppress(ValueError):  # of a missing value, or no number
            found = [quick[index](word) for index, word in zip(indices, words, strict=True)]
        if None not in found:
            numbers = np.array(found, dtype=np.float64)
            if self._only_nominal or _are_arff(numbers, "".join(words)):
                return numbers
        return np.array([self._number(i, word) for i, word in zip(indices, words, strict=True)])

    def _number(self, index: int, word: str) -> float:
        attribute = self.attributes[index]
        if word == "?":
            return math.nan
        if attribute.values is not None:
            is_readable = word[:1] in ("'", '"') or is_plain(word)
            code = attribute.codes.get(unquote(word)) if is_readable else None
            if code is None:
                raise GrammarError(
                    f"expected a value of the attribute '{attribute.name}', one of "
                    f"{list(attribute.codes)[:6]}, got '{word[:40]}'."
                )
            return code
        try:
            number = float(unquote(word))
        except ValueError:
            number = math.nan
        if not is_finite(number) or "_" in word or not word.isascii():
            raise GrammarError(
                "expected a finite number of single precision for the attribute "
                f"'{attribute.name}', got '{word[:40]}' (a missing value is '?')."
            )
        return number


def _are_arff(numbers: np.ndarray, text: str) -> bool:
    """Return whether no number is one to Python only: 'nan', '1_0', digits of other scripts."""
    return bool((np.abs(numbers) <= LARGEST).all()) and "_" not in text and text.isascii()


def _plain_codes(attribute: Attribute) -> Dict[str, float]:
    """Return the codes of the values that can stand without quotes."""
    return {v: float(code) for v, code in attribute.codes.items() if v != "?" and is_plain(v)}


def _dense_row(line: str, size: int) -> List[str]:
    if line[-1] == "}":
        weight = _WEIGHT.search(line)
        if weight is not None:
            _check_weight(weight[1])
            line = line[: weight.start()]
    words = split_cells(line)
    if len(words) != size:
        raise GrammarError(f"expected {size} values, got {len(words)}.")
    return words


def _sparse_row(line: str, places: Dict[str, int]) -> Tuple[List[int], List[str]]:
    inside, after = split_braces(line, "a sparse row")
    if after:
        weight = _WEIGHT.fullmatch(after)
        if weight is None:
            raise GrammarError(f"expected nothing after a sparse row, got '{after[:40]}'.")
        _check_weight(weight[1])
    entries = split_entries(inside)
    words = [word for _, word in entries]
    try:
        indices = [places[place] for place, _ in entries]
    except KeyError as error:
        raise GrammarError(
            f"expected 'INDEX VALUE' with an index below {len(places)}, got the index {error}."
        ) from None
    if len(set(indices)) < len(indices):
        twice = next(index for index in indices if indices.count(index) > 1)
        raise GrammarError(f"expected each index once, got {twice} twice.")
    return indices, words


def _check_weight(text: str) -> None:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if weight != 1:
        raise GrammarError(
            f"expected a row without a weight, since all rows weigh the same here, got "
            f"'{{{text[:40]}}}'; remove the weight, or repeat the row."
        )
