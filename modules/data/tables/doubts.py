"""Sentences about columns that are neither numbers nor categories."""

from typing import Any, Optional, Sequence, Tuple

import numpy as np

from .cells import CellSettings, count_numbers, is_missing, number
from .raw import ABSENT, RawTable

_MARKS = {".": "point", ",": "comma"}


def no_number(table: RawTable, row: int, name: str, settings: CellSettings) -> str:
    """Return the sentence about a cell of a column of numbers that is none."""
    cell = table.columns[name][row]
    other = _other(settings)
    as_other = number(cell, table.typed, other)
    if isinstance(cell, str) and not table.typed and as_other is not None:
        hint = f"set 'decimal' of the dataset reader to '{other.decimal}' if that is its mark"
    elif table.in_memory:
        hint = "correct it, or drop the column from X"
    else:
        hint = "correct it, or list the column in 'categorical' of the dataset reader"
        if isinstance(cell, str) and not any(c.isdigit() for c in cell):
            hint = (
                "add it to 'missing_values' of the dataset reader if it stands for a missing "
                f"value, otherwise {hint}"
            )
    return (
        f"{table.at(row, name)}: expected a finite number, as in other rows, got {cell!r:.40}; "
        f"{hint}."
    )


def with_other_decimals(
    tables: Sequence[RawTable], name: str, settings: CellSettings
) -> Optional[Tuple[RawTable, int]]:
    """Return the first cell of a column of text that is a number by the other mark before decimals,
    where most cells are; text of a table with types is one only with a comma."""
    other = _other(settings)
    if tables[0].typed and other.decimal == ".":
        return None
    first, num_numbers, num_others = None, 0, 0
    for table in tables:
        cells = table.columns[name]
        if first is None:
            first = next(
                (
                    (table, row)
                    for row, cell in enumerate(cells)
                    if isinstance(cell, str)
                    and other.decimal in cell
                    and cell is not ABSENT
                    and not is_missing(cell, other)
                    and number(cell, False, other) is not None
                ),
                None,
            )
        counts = count_numbers(cells, False, other)
        num_numbers, num_others = num_numbers + counts[0], num_others + counts[1]
    return first if num_numbers > num_others else None


def other_decimals(table: RawTable, row: int, name: str, settings: CellSettings) -> str:
    """Return the sentence about a column whose numbers have the other mark before decimals."""
    other = _other(settings).decimal
    if table.typed:
        hint = "convert the column to numbers"
        hint += "" if table.in_memory else ", or list it in 'categorical' of the dataset reader"
    else:
        hint = f"set decimal: '{other}' of the dataset reader, or list the column in 'categorical'"
    where = f"{table.at(row, name)}" if not table.in_memory else table.of_column(name)
    return (
        f"{where}: expected numbers or categories, got numbers with a decimal {_MARKS[other]}, "
        f"such as '{table.columns[name][row][:30]}'; {hint}."
    )


def too_many_texts(table: RawTable, name: str, texts: Sequence[str], rows: int) -> str:
    """Return the sentence about a column of text with too many different ones for categories."""
    if table.in_memory:
        hint = "drop the column from X, or convert it to numbers"
    else:
        hint = (
            "list it in 'ignore' of the dataset reader, or in 'categorical' if these are "
            "categories; texts are read by the dataset reader 'multi-label-text'"
        )
    return (
        f"{table.of_column(name)}: expected numbers or categories, got {len(texts)} different "
        f"texts in {rows} rows, such as '{min(texts)[:30]}'; {hint}."
    )


def check_category(table: RawTable, row: int, name: str, cell: Any) -> None:
    """Raise `ValueError` for a cell that is neither a number nor text."""
    if cell is None or isinstance(cell, (str, int, float, np.generic)):
        return
    hint = (
        "convert the column to numbers or text, or drop it from X"
        if table.in_memory
        else "list the column in 'ignore' of the dataset reader, or in 'labels' if it has labels"
    )
    raise ValueError(f"{table.at(row, name)}: expected a number or text, got {cell!r:.40}; {hint}.")


def _other(settings: CellSettings) -> CellSettings:
    return settings._replace(decimal="," if settings.decimal == "." else ".")
