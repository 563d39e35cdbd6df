"""Cells of a table as numbers and as categories."""

import math
import numbers
from typing import Any, Collection, FrozenSet, List, NamedTuple, Optional, Tuple

import numpy as np

from ..fields import LARGEST, is_finite
from .raw import ABSENT

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
_BOOLS = {"true": 1.0, "false": 0.0}


class CellSettings(NamedTuple):
    """How a cell is read: what stands for a missing value, and the mark before decimals."""

    missing: FrozenSet[str] = frozenset(MISSING)
    decimal: str = "."


def is_missing(cell: Any, settings: CellSettings) -> bool:
    """Return whether a cell has no value."""
    if isinstance(cell, str):
        return cell in settings.missing
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def number(cell: Any, typed: bool, settings: CellSettings) -> Optional[float]:
    """Return the number of a cell, NaN of a missing one, `None` of one that is no finite number of
    single precision."""
    if cell is ABSENT:
        return 0.0
    if is_missing(cell, settings):
        return math.nan
    if isinstance(cell, str):
        if typed:
            return None
        word = cell.strip()
        if word.lower() in _BOOLS:
            return _BOOLS[word.lower()]
        if "_" in word or not word.isascii() or (settings.decimal != "." and "." in word):
            return None
        cell = word.replace(settings.decimal, ".")
    elif not isinstance(cell, (numbers.Number, np.bool_)) or isinstance(cell, complex):
        return None
    try:
        value = float(cell)
    except (OverflowError, TypeError, ValueError):
        return None
    return value if is_finite(value) else None


def as_numbers(
    cells: List[Any], typed: bool, settings: CellSettings
) -> Tuple[np.ndarray, Optional[int]]:
    """Return the numbers of a column, NaN for missing ones, and the first row that has none."""
    quick = _quickly(cells, typed, settings)
    if quick is not None:
        return quick, None
    values = [number(cell, typed, settings) for cell in cells]
    bad = next((row for row, value in enumerate(values) if value is None), None)
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64), bad


def _quickly(cells: List[Any], typed: bool, settings: CellSettings) -> Optional[np.ndarray]:
    """Return the numbers of a column without missing cells, bools and mistakes, or `None`."""
    if settings.decimal != "." or not cells:
        return None
    kinds = set(map(type, cells))
    if kinds <= {int, float}:
        text = ""
    elif kinds == {str} and not typed:
        text = "".join(cells)
    else:
        return None
    try:
        values = np.array(cells, dtype=np.float64)
    except (OverflowError, ValueError):
        return None
    is_plain = text.isascii() and "_" not in text
    return values if is_plain and bool((np.abs(values) <= LARGEST).all()) else None


def count_numbers(cells: List[Any], typed: bool, settings: CellSettings) -> Tuple[int, int]:
    """Return how many cells are numbers, infinite ones included, and how many are not, without the
    missing ones."""
    num_numbers = num_others = 0
    for cell in cells:
        if cell is ABSENT or is_missing(cell, settings):
            continue
        if number(cell, typed, settings) is not None or _is_too_large(cell, typed):
            num_numbers += 1
        else:
            num_others += 1
    return num_numbers, num_others


def _is_too_large(cell: Any, typed: bool) -> bool:
    if not isinstance(cell, numbers.Real) and (typed or not isinstance(cell, str)):
        return False
    try:
        return bool(abs(np.float64(cell)) > LARGEST)
    except OverflowError:
        return True
    except ValueError:
        return False


def category(cell: Any, known: Collection[str] = ()) -> str:
    """Return the category of a cell: its text, of a whole number without decimals.

    >>> category("red"), category(2.0), category(2.5), category(2.0, known=["2.0"])
    ('red', '2', '2.5', '2.0')
    """
    if isinstance(cell, float) and cell.is_integer():
        exact = repr(cell)
        return exact if exact in known else str(int(cell))
    return str(cell)
