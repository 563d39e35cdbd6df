"""ARFF files, dense and sparse, as written by Weka, Mulan and MEKA.

Published parsers take several seconds for a sparse file of the size of bibtex; the time to read is
a part of every run, so this one reads straight into columns and numbers.
"""

import math
import re
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from .fields import is_finite

_ATTRIBUTE = re.compile(
    r"@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+))\s+(.+)$", re.IGNORECASE
)
_FIELD = re.compile(r"((?:[^,'\"]|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")*),")
_NUMERIC = ("numeric", "real", "integer")
_ON = ("1", "yes", "true")


class Attribute:
    """A column of the file and the numbers that stand for its values.

    A numeric attribute is one number. A nominal one with two values is 0 or 1 (1 for `1`, `yes`,
    `true`, otherwise for the second); one with more values is one number for each (`one-hot`).
    """

    def __init__(self, name: str, values: Optional[List[str]]) -> None:
        self.name = name
        self.values = values
        self.one_hot = values is not None and len(values) > 2
        self.codes: Dict[str, int] = {}
        if values is not None:
            self.codes = {value: code for code, value in enumerate(values)}
        if values is not None and len(values) == 2 and values[0].lower() in _ON:
            self.codes = {values[0]: 1, values[1]: 0}

    @property
    def column_names(self) -> List[str]:
        """The names of the columns that the attribute becomes."""
        if not self.one_hot or self.values is None:
            return [self.name]
        return [f"{self.name}={value}" for value in self.values]

    @property
    def first(self) -> float:
        """What a sparse row means by leaving the attribute out: 0, or the first nominal value."""
        return 0.0 if self.values is None else float(self.codes[self.values[0]])


class ArffRow(NamedTuple):
    """The numbers of one row: a nominal value as its code, a missing one as NaN."""

    line: int
    attributes: np.ndarray
    values: np.ndarray


class ArffHeader(NamedTuple):
    """What stands before the rows."""

    relation: str
    attributes: List[Attribute]
    data_line: int


def read_arff(path: str) -> Tuple[ArffHeader, Iterator[ArffRow]]:
    """The header of a file, and its rows. A row holds the attributes that it names: all of a dense
    one, those that are written of a sparse one (see `Attribute.first` for the others).

    # Raises

    `ValueError` for what is not ARFF, with file and line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise ValueError(f"{path}: expected a readable ARFF file, got: {error.strerror}.") from None
    lines = text.split("\n")  # a name may have other characters that end a line elsewhere
    header = _read_header(path, lines)
    return header, _read_rows(path, lines, header)


def _unquote(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _split(text: str) -> List[str]:
    """The fields of a comma-separated line, still quoted where they are."""
    if "'" not in text and '"' not in text:
        return [field.strip() for field in text.split(",")]
    return [field.strip() for field in _FIELD.findall(text + ",")]


def _read_header(path: str, lines: List[str]) -> ArffHeader:
    relation = ""
    attributes: List[Attribute] = []
    seen: Dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("%"):
            continue
        keyword = line.split(None, 1)[0].lower()
        if keyword == "@relation":
            relation = line[len("@relation") :].strip()
        elif keyword == "@attribute":
            attribute = _read_attribute(path, number, line)
            if attribute.name in seen:
                raise ValueError(
                    f"{path}, line {number}: expected a new attribute, got '{attribute.name}', "
                    f"which line {seen[attribute.name]} has."
                )
            seen[attribute.name] = number
            attributes.append(attribute)
        elif keyword == "@data":
            if not attributes:
                raise ValueError(f"{path}, line {number}: expected attributes before @data.")
            return ArffHeader(relation, attributes, number)
        else:
            raise ValueError(
                f"{path}, line {number}: expected @relation, @attribute or @data, got "
                f"'{line[:40]}'."
            )
    raise ValueError(f"{path}: expected a line @data, got the end of the file; it is truncated.")


def _read_attribute(path: str, number: int, line: str) -> Attribute:
    match = _ATTRIBUTE.match(line)
    if match is None:
        raise ValueError(
            f"{path}, line {number}: expected '@attribute NAME TYPE', got '{line[:60]}'."
        )
    quoted, double_quoted, plain, kind = match.groups()
    name = plain if plain is not None else re.sub(r"\\(.)", r"\1", quoted or double_quoted or "")
    kind = kind.strip()
    if kind.startswith("{"):
        if not kind.endswith("}"):
            raise ValueError(f"{path}, line {number}: expected '}}' at the end of '{kind[:40]}'.")
        return Attribute(name, [_unquote(value) for value in _split(kind[1:-1])])
    if kind.split(None, 1)[0].lower() not in _NUMERIC:
        raise ValueError(
            f"{path}, line {number}: expected the attribute '{name}' to be numeric or nominal, "
            f"got the type '{kind}'; remove the attribute or encode it as numbers."
        )
    return Attribute(name, None)


def _read_rows(path: str, lines: List[str], header: ArffHeader) -> Iterator[ArffRow]:
    attributes = header.attributes
    codes = [attribute.codes if attribute.values is not None else None for attribute in attributes]
    everything = np.arange(len(attributes))

    def parse(index: int, text: str, number: int) -> float:
        code = codes[index]
        if code is not None:
            value: Optional[float] = code.get(text)
            if value is None:
                value = code.get(_unquote(text), math.nan if text == "?" else None)
            if value is None:
                raise ValueError(
                    f"{path}, line {number}: expected a value of the attribute "
                    f"'{attributes[index].name}', one of {list(code)[:6]}, got '{text[:40]}'."
                )
            return value
        try:
            value = float(text)
        except ValueError:
            if text == "?":
                return math.nan
            value = math.nan
        if not is_finite(value):
            raise ValueError(
                f"{path}, line {number}: expected a finite number of single precision for the "
                f"attribute '{attributes[index].name}', got '{text[:40]}' (a missing value is '?')."
            )
        return value

    for number, line in enumerate(lines[header.data_line :], header.data_line + 1):
        line = line.strip()
        if not line or line[0] == "%":
            continue
        if line[0] == "{":
            yield _sparse_row(path, number, line, len(attributes), parse)
            continue
        fields = _split(line)
        if len(fields) != len(attributes):
            raise ValueError(
                f"{path}, line {number}: expected {len(attributes)} values, got {len(fields)}."
            )
        values = [parse(index, field, number) for index, field in enumerate(fields)]
        yield ArffRow(number, everything, np.array(values))


def _sparse_row(
    path: str, number: int, line: str, size: int, parse: Callable[[int, str, int], float]
) -> ArffRow:
    if line[-1] != "}":
        raise ValueError(f"{path}, line {number}: expected '}}' at the end of a sparse row.")
    indices: List[int] = []
    values: List[float] = []
    for entry in filter(None, _split(line[1:-1])):
        index_text, _, text = entry.partition(" ")
        try:
            index = int(index_text)
        except ValueError:
            index = -1
        if not 0 <= index < size or not text:
            raise ValueError(
                f"{path}, line {number}: expected 'INDEX VALUE' with an index below {size}, got "
                f"'{entry[:40]}'."
            )
        indices.append(index)
        values.append(parse(index, text.strip(), number))
    if len(set(indices)) < len(indices):
        twice = next(index for index in indices if indices.count(index) > 1)
        raise ValueError(f"{path}, line {number}: expected each index once, got {twice} twice.")
    return ArffRow(number, np.array(indices, dtype=np.int64), np.array(values))
