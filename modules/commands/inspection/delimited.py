"""Columns of text that have all labels of a row."""

from typing import Dict, List, Optional

from ...data.tables import CellSettings, RawTable
from ...data.tables.cells import is_missing, number

_MARKS = (";", "|", ",")


def delimited_columns(table: RawTable) -> Dict[str, str]:
    """Return the columns that have labels with a mark between them, and the mark of each.

    Labels, unlike prose, come again in other rows, and their number differs from row to row.
    """
    marks = {name: _mark(cells) for name, cells in table.columns.items()}
    return {name: mark for name, mark in marks.items() if mark is not None}


def _mark(column: List[object]) -> Optional[str]:
    settings = CellSettings()
    cells = [cell for cell in column if not is_missing(cell, settings)]
    texts = [cell for cell in cells if isinstance(cell, str)]
    if not texts or len(texts) < len(cells):
        return None
    marks = [mark for mark in _MARKS if _separates(texts, mark)]
    return marks[0] if len(marks) == 1 else None


def _separates(texts: List[str], mark: str) -> bool:
    rows = [[part.strip() for part in text.split(mark) if part.strip()] for text in texts]
    if len(set(map(len, rows))) < 2 or any(len(set(row)) < len(row) for row in rows):
        return False
    labels = {label for row in rows for label in row}
    if all(number(label, False, CellSettings()) is not None for label in labels):
        return False
    return 4 * len(labels) <= sum(map(len, rows))
