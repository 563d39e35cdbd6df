"""Tables whose cells have types: JSON lines, Parquet, DataFrames, lists of dictionaries."""

import datetime
import decimal
import json
import numbers
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence

import numpy as np
from allennlp.common.checks import ConfigurationError

from .raw import ABSENT, RawTable
from .text import read_text

FEATURES = "features"
LABELS = "labels"
_PLAIN = {bool, dict, float, int, list, str, type(None)}


class Record(NamedTuple):
    """A row as a dictionary: its cells by column, and its labels where they stand beside them."""

    cells: Dict[str, Any]
    is_nested: bool
    labels: Any


def read_json_lines(path: str, encoding: str) -> RawTable:
    """Return the table of a file of one JSON dictionary a line.

    # Raises

    `ValueError` for a line that is no such dictionary, with file and line.
    """
    rows: List[Any] = []
    lines: List[int] = []
    for number, line in enumerate(read_text(path, encoding).split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            said = str(error).partition("\n")[0]
            raise ValueError(
                f"{path}, line {number}: expected a dictionary in JSON, got "
                f"'{line.strip()[:40]}': {said}."
            ) from None
        lines.append(number)
    if not rows:
        raise ValueError(f"{path}: expected a dictionary in JSON on each line, got no line.")
    return table_of_records(path, rows, lines)


def table_of_records(
    source: str, rows: Iterable[Any], lines: Sequence[int], place: str = "line"
) -> RawTable:
    """Return the table of dictionaries; a column that some lack is missing there.

    # Raises

    `ValueError` for a row that is not a dictionary, or of another form than the first one.
    """
    records = []
    for row, line in zip(rows, lines, strict=True):
        try:
            records.append(record(row))
        except ValueError as error:
            raise ValueError(f"{source}, {place} {line}: {error}") from None
        if records[-1].is_nested != records[0].is_nested:
            raise ValueError(
                f"{source}, {place} {line}: expected the key '{FEATURES}' in all rows or in none, "
                f"got {'it' if records[-1].is_nested else 'none'} here, unlike in the first one."
            )
    names = {name: None for each in records for name in each.cells}
    absent = ABSENT if records and records[0].is_nested else None
    columns = {name: plain([each.cells.get(name, absent) for each in records]) for name in names}
    has_labels = any(each.labels is not None for each in records)
    labels = [each.labels for each in records] if has_labels else None
    return RawTable(source, columns, lines, place, typed=True, labels=labels)


def record(row: Any) -> Record:
    """Return the cells of a dictionary: its values, or those below its key `features`.

    # Raises

    `ValueError` for anything else.
    """
    if not isinstance(row, dict):
        raise ValueError(f"expected a dictionary in JSON, got {row!r:.40}.")
    features = row.get(FEATURES)
    if isinstance(features, (list, tuple)):
        features = {f"x{place}": value for place, value in enumerate(features)}
    if isinstance(features, dict):
        return Record(features, True, row.get(LABELS))
    return Record({str(name): cell for name, cell in row.items()}, False, None)


def read_parquet(path: str) -> RawTable:
    """Return the table of a Parquet file.

    # Raises

    `ConfigurationError` without pyarrow, `ValueError` for a file that is no Parquet.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ConfigurationError(
            f"{path}: expected the package pyarrow, which reads and writes Parquet, got none; "
            "install it (`pip install pyarrow`), or save the table as CSV or JSON lines."
        ) from None
    try:
        table = parquet.ParquetFile(path).read()
        columns = {
            name: plain(table.column(place).to_pylist())
            for place, name in enumerate(table.column_names)
        }
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: expected a Parquet file that can be read, got: {said}") from None
    _check_names(path, table.column_names)
    return RawTable(path, columns, range(1, table.num_rows + 1), "row", typed=True)


def table_of_frame(source: str, frame: Any) -> RawTable:
    """Return the table of a pandas DataFrame, whose index is left out."""
    names = [str(name) for name in frame.columns]
    _check_names(source, names)
    columns = {}
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        is_missing = np.asarray(column.isna())
        cells = column.tolist()
        columns[name] = plain(
            [None if missing else cell for cell, missing in zip(cells, is_missing, strict=True)]
        )
    return RawTable(source, columns, range(1, len(frame) + 1), "row", typed=True)


def plain(cells: List[Any]) -> List[Any]:
    """Return a column with times as text, and numbers of any kind as Python's own."""
    if set(map(type, cells)) <= _PLAIN:
        return cells
    return [cell if type(cell) in _PLAIN else _plain(cell) for cell in cells]


def _plain(cell: Any) -> Any:
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return str(cell)  # whose item may be a number
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, (datetime.date, datetime.time, datetime.timedelta)):
        return str(cell)
    if isinstance(cell, (numbers.Real, decimal.Decimal)) and type(cell) not in _PLAIN:
        return float(cell)
    return cell


def _check_names(source: str, names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None) if names else None
    if twice is not None and len(set(names)) < len(names):
        raise ValueError(
            f"{source}: expected columns of different names, got '{twice}' twice; rename one."
        )
