"""The columns of a table as features: numbers as they are, categories as one column each."""

from fnmatch import fnmatchcase
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .cells import CellSettings, as_numbers, category, count_numbers, is_missing
from .doubts import (
    check_category,
    no_number,
    other_decimals,
    too_many_texts,
    with_other_decimals,
)
from .raw import ABSENT, RawTable

UNKNOWN = "?"
"""The category of a missing value, where missing values have an indicator."""


class ColumnSettings(NamedTuple):
    """How columns become features: see `TableReader`."""

    categorical: Sequence[str] = ()
    missing: str = "mean"
    cells: CellSettings = CellSettings()
    ignore: Sequence[str] = ()


class Column(NamedTuple):
    """A column of the table and the features that it becomes.

    # Fields

    name : `str`
    categories : `List[str]`, optional
        The categories, each of which is a feature; `None` for a column of numbers.
    has_indicator : `bool`
        Whether a further feature says that the value is missing.
    """

    name: str
    categories: Optional[List[str]]
    has_indicator: bool

    @property
    def feature_names(self) -> List[str]:
        """The names of its features."""
        names = (
            [self.name]
            if self.categories is None
            else [f"{self.name}={value}" for value in self.categories]
        )
        return names + ([f"{self.name}={UNKNOWN}"] if self.has_indicator else [])


def matching(names: Sequence[str], patterns: Collection[str]) -> List[str]:
    """Return the names that one of the patterns is, or matches.

    >>> matching(["id", "label_a", "label_b"], ["label_*"])
    ['label_a', 'label_b']
    """
    exact = {pattern for pattern in patterns if pattern in names}
    globs = [pattern for pattern in patterns if pattern not in exact]
    return [
        name
        for name in names
        if name in exact or any(fnmatchcase(name, pattern) for pattern in globs)
    ]


def check_patterns(source: str, names: Sequence[str], settings: ColumnSettings) -> None:
    """Raise `ValueError` for a name or pattern of the settings that is no column, as of a typo."""
    for key in ("ignore", "categorical"):
        for pattern in getattr(settings, key):
            if not matching(names, [pattern]):
                raise ValueError(
                    f"{source}: expected a column '{pattern}', as in '{key}' of the dataset "
                    f"reader, got {[name[:30] for name in names[:8]]}"
                    f"{f' and {len(names) - 8} more' if len(names) > 8 else ''}."
                )


def fit_columns(
    tables: Sequence[RawTable], names: Sequence[str], settings: ColumnSettings
) -> List[Column]:
    """Return the columns of the tables of the training data: which are numbers, and the categories
    of the others.

    # Raises

    `ValueError` for a column that is neither, with file, line and column.
    """
    forced = set(matching(names, settings.categorical))
    return [_fit(tables, name, name in forced, settings) for name in names]


def check_columns(table: RawTable, settings: ColumnSettings) -> None:
    """Raise `ValueError` for a column of a table that is neither numbers nor categories."""
    ignored = set(matching(list(table.columns), settings.ignore))
    fit_columns([table], [name for name in table.columns if name not in ignored], settings)


def _fit(
    tables: Sequence[RawTable], name: str, is_forced: bool, settings: ColumnSettings
) -> Column:
    has_missing = settings.missing == "indicator" and any(
        is_missing(cell, settings.cells) for table in tables for cell in table.columns[name]
    )
    if not is_forced and not _is_categorical(tables, name, settings):
        return Column(name, None, has_missing)
    values = {
        category(cell)
        for table in tables
        for cell in table.columns[name]
        if cell is not ABSENT and not is_missing(cell, settings.cells)
    }
    rows = sum(len(table.lines) for table in tables)
    if not is_forced and len(values) > max(20, rows // 2):
        raise ValueError(too_many_texts(tables[0], name, sorted(values), rows))
    return Column(name, sorted(values), has_missing)


def _is_categorical(tables: Sequence[RawTable], name: str, settings: ColumnSettings) -> bool:
    """Return whether most cells are text."""
    bad = None
    for table in tables:
        _, row = as_numbers(table.columns[name], table.typed, settings.cells)
        if row is not None and bad is None:
            bad = (table, row)
    if bad is None:
        return False
    counts = [count_numbers(table.columns[name], table.typed, settings.cells) for table in tables]
    if sum(count for count, _ in counts) > sum(count for _, count in counts):
        raise ValueError(no_number(*bad, name, settings.cells))
    with_mark = with_other_decimals(tables, name, settings.cells)
    if with_mark is not None:
        raise ValueError(other_decimals(*with_mark, name, settings.cells))
    for table in tables:
        for row, cell in enumerate(table.columns[name]):
            check_category(table, row, name, cell)
    return True


class Entries(NamedTuple):
    """The features of a table that are not zero."""

    rows: np.ndarray
    places: np.ndarray
    values: np.ndarray


def encode(table: RawTable, columns: Sequence[Column], settings: ColumnSettings) -> Any:
    """Return the features of a table, a matrix of scipy in compressed rows; a missing number is
    NaN, and a category that is none of the column's is zero everywhere.

    # Raises

    `ValueError` for a cell that is no number where numbers are expected, and for a missing one
    where `missing` is 'error', with file, line and column.
    """
    import scipy.sparse

    first, parts = 0, []
    for column in columns:
        cells = table.columns[column.name]
        if column.categories is None:
            part, is_unknown = _numbers(table, column, settings)
        else:
            part, is_unknown = _categories(table, column, settings)
        if settings.missing == "error" and is_unknown.any():
            row = int(np.flatnonzero(is_unknown)[0])
            raise ValueError(
                f"{table.at(row, column.name)}: expected a value, got a missing one "
                f"({cells[row]!r:.20}); set 'missing' of the dataset reader to 'mean' or "
                "'indicator', or remove the row."
            )
        parts.append(part._replace(places=part.places + first))
        first += len(column.feature_names)
        if column.has_indicator:
            rows = np.flatnonzero(is_unknown)
            parts.append(Entries(rows, np.full(len(rows), first - 1), np.ones(len(rows))))
    rows, places, values = (
        np.concatenate([np.zeros(0, dtype=kind), *(part[field] for part in parts)])
        for field, kind in ((0, np.int64), (1, np.int64), (2, np.float64))
    )
    shape = (len(table.lines), first)
    return scipy.sparse.csr_matrix((values, (rows, places)), shape=shape)


def _numbers(
    table: RawTable, column: Column, settings: ColumnSettings
) -> Tuple[Entries, np.ndarray]:
    values, bad = as_numbers(table.columns[column.name], table.typed, settings.cells)
    if bad is not None:
        raise ValueError(no_number(table, bad, column.name, settings.cells))
    rows = np.flatnonzero(values != 0)
    return Entries(rows, np.zeros(len(rows), dtype=np.int64), values[rows]), np.isnan(values)


def _categories(
    table: RawTable, column: Column, settings: ColumnSettings
) -> Tuple[Entries, np.ndarray]:
    assert column.categories is not None
    known = {value: place for place, value in enumerate(column.categories)}
    rows, places, unknown = [], [], np.zeros(len(table.lines), dtype=bool)
    for row, cell in enumerate(table.columns[column.name]):
        if cell is ABSENT:
            continue
        if is_missing(cell, settings.cells):
            unknown[row] = True
            continue
        check_category(table, row, column.name, cell)
        place = known.get(category(cell, known))
        if place is not None:
            rows.append(row)
            places.append(place)
    entries = Entries(
        np.array(rows, dtype=np.int64), np.array(places, dtype=np.int64), np.ones(len(rows))
    )
    return entries, unknown


def columns_of_model(feature_names: Sequence[str], names: Sequence[str]) -> Dict[str, Column]:
    """Return the columns among `names` that became the features of a model.

    >>> columns_of_model(["age", "age=?", "color=red"], ["age", "color", "id"])["color"]
    Column(name='color', categories=['red'], has_indicator=False)
    """
    known = set(feature_names)
    groups: Dict[str, List[str]] = {name: [] for name in names}
    for feature in feature_names:
        for end, mark in enumerate(feature):
            if mark == "=" and feature[:end] in groups:
                groups[feature[:end]].append(feature[end + 1 :])
    columns = {}
    for name, values in groups.items():
        if name in known:
            columns[name] = Column(name, None, UNKNOWN in values)
        elif values:
            categories = [value for value in values if value != UNKNOWN]
            columns[name] = Column(name, categories, UNKNOWN in values)
    return columns


def raw_names(feature_names: Sequence[str]) -> List[str]:
    """Return the names of the columns that became these features, in their order.

    >>> raw_names(["age", "age=?", "color=blue", "color=red"])
    ['age', 'color']
    """
    return list({name.partition("=")[0]: None for name in feature_names})
