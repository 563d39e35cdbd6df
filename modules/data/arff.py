"""ARFF files, dense and sparse, as Weka, Mulan and MEKA write them.

Published parsers take several seconds for a sparse file of the size of bibtex; the time to read is
a part of every run, so this one reads straight into columns and numbers.
"""

import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

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
    arff_stable/), without the types `string`, `date` and `relational` and without weights,
    and with that of Clus, `hierarchical`.

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
    everything = np.arange(len(header.attributes))
    for number, line in enumerate(lines[header.data_line :], header.data_line + 1):
        line = without_comment(line)
        if not line:
            continue
        try:
            if line[0] == "{":
                places, values = cells.sparse(_sparse_entries(line))
            else:
                places, values = everything, cells.dense(_dense_words(line))
        except GrammarError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        yield ArffRow(number, places, values)


class _Cells:
    """The numbers that the words of a row stand for."""

    def __init__(self, attributes: List[Attribute]) -> None:
        self.attributes = attributes
        self._places = {str(place): place for place in range(len(attributes))}
        self._only_nominal = all(attribute.values is not None for attribute in attributes)
        codes = [_plain_codes(attribute) for attribute in attributes]
        # For each attribute a quick function, which serves most words.
        self._quick: List[Callable[[str], Optional[float]]] = [
            _quick(attribute, plain) for attribute, plain in zip(attributes, codes, strict=True)
        ]
        # Most entries of sparse rows are few, such as '12 1'.
        self._entries = {
            f"{place} {word}": (place, code)
            for place, plain in enumerate(codes)
            for word, code in plain.items()
        }

    def dense(self, words: List[str]) -> np.ndarray:
        """Return the numbers of a dense row."""
        if len(words) != len(self.attributes):
            raise GrammarError(f"expected {len(self.attributes)} values, got {len(words)}.")
        found: List[Optional[float]] = [None]
        with suppress(ValueError):  # of a missing value, or no number
            found = [quick(word) for quick, word in zip(self._quick, words, strict=True)]
        if None not in found:
            numbers = np.array(found, dtype=np.float64)
            if self._only_nominal or _are_arff(numbers, "".join(words)):
                return numbers
        return np.array([self._number(index, word) for index, word in enumerate(words)])

    def sparse(self, text: str) -> Tuple[np.ndarray, np.ndarray]:
        """Return the attributes of a sparse row, and their numbers."""
        if not text or text.isspace():
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        if "'" in text or '"' in text:
            pairs = [self._pair(entry) for entry in split_entries(text)]
        else:
            known = self._entries
            pairs = [known.get(entry) or self._pair(entry.split()) for entry in text.split(",")]
        indices = [index for index, _ in pairs]
        if len(set(indices)) < len(indices):
            twice = next(index for index in indices if indices.count(index) > 1)
            raise GrammarError(f"expected each index once, got {twice} twice.")
        return np.array(indices, dtype=np.int64), np.array([number for _, number in pairs])

    def _pair(self, entry: List[str]) -> Tuple[int, float]:
        if len(entry) != 2:
            raise GrammarError(
                "expected 'INDEX VALUE' between commas, with quotes around a value of several "
                f"words, got '{' '.join(entry)[:40]}'."
            )
        index = self._places.get(entry[0])
        if index is None:
            raise GrammarError(
                f"expected 'INDEX VALUE' with an index below {len(self._places)}, got the index "
                f"'{entry[0][:40]}'."
            )
        return index, self._number(index, entry[1])

    def _number(self, index: int, word: str) -> float:
        attribute = self.attributes[index]
        if word == "?":
            return math.nan
        if attribute.taxonomy is not None:
            return _known_set(attribute, word)
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


def _quick(attribute: Attribute, plain: Dict[str, float]) -> Callable[[str], Optional[float]]:
    if attribute.taxonomy is not None:
        return attribute.set_code
    return float if attribute.values is None else plain.get


def _known_set(attribute: Attribute, word: str) -> float:
    """Return the number of a set of terms."""
    code = attribute.set_code(word)
    if code is None:
        assert attribute.taxonomy is not None
        unknown = next(t for t in word.split("@") if attribute.set_code(t) is None)
        raise GrammarError(
            f"expected terms of the attribute '{attribute.name}', such as "
            f"'{'@'.join(attribute.taxonomy.terms[:2])}', got '{unknown[:40]}'."
        )
    return code


def _plain_codes(attribute: Attribute) -> Dict[str, float]:
    """Return the codes of the values that can stand without quotes."""
    return {v: float(code) for v, code in attribute.codes.items() if v != "?" and is_plain(v)}


def _dense_words(line: str) -> List[str]:
    if line[-1] == "}":
        weight = _WEIGHT.search(line)
        if weight is not None:
            _check_weight(weight[1])
            line = line[: weight.start()]
    return split_cells(line)


def _sparse_entries(line: str) -> str:
    inside, after = split_braces(line, "a sparse row")
    if after:
        weight = _WEIGHT.fullmatch(after)
        if weight is None:
            raise GrammarError(f"expected nothing after a sparse row, got '{after[:40]}'.")
        _check_weight(weight[1])
    return inside


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
