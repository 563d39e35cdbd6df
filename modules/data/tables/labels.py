"""The labels of a table: columns of 0 and 1, a column of lists, or a column of delimited names."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from .cells import CellSettings, as_numbers, is_missing, number
from .columns import matching
from .raw import Labels, Matrices, RawTable
from .records import LABELS


class LabelSettings(NamedTuple):
    """Where the labels are: see `TableReader`."""

    columns: Sequence[str] = (LABELS,)
    separator: Optional[str] = None
    names: Optional[Sequence[str]] = None
    cells: CellSettings = CellSettings()


def label_columns(table: RawTable, settings: LabelSettings) -> List[str]:
    """Return the columns that have the labels; none where the labels stand beside the columns.

    # Raises

    `ValueError` where no column has this name.
    """
    if table.labels is not None:
        return []
    names = matching(list(table.columns), settings.columns)
    for pattern in settings.columns:
        if not matching(names, [pattern]):
            raise ValueError(
                f"{table.source}: expected a column of labels '{pattern}', got the columns "
                f"{_shortened(list(table.columns))}; set 'labels' of the dataset reader to the "
                "names of the columns that are labels, or to a pattern such as 'label_*'."
            )
    return names


def _shortened(names: List[str]) -> str:
    shown = [name[:30] for name in names]
    return str(shown) if len(names) <= 10 else f"{shown[:8]} and {len(names) - 8} more"


def read_labels(table: RawTable, columns: Sequence[str], settings: LabelSettings) -> Labels:
    """Return the labels of each row.

    # Raises

    `ValueError` for a cell that is no label, with file, line and column.
    """
    if table.labels is not None:
        return _of_lists(table, LABELS, table.labels, settings)
    if settings.separator is not None or any(
        isinstance(cell, (list, tuple, dict, set)) for cell in table.columns[columns[0]]
    ):
        if len(columns) > 1:
            raise ValueError(
                f"{table.source}: expected one column that has all labels of a row, got "
                f"{_shortened(list(columns))}; set 'labels' of the dataset reader to its name."
            )
        return _of_lists(table, columns[0], table.columns[columns[0]], settings)
    return _of_columns(table, columns, settings)


def _hint(cell: Any, is_number: bool, is_only: bool, is_usual: bool) -> str:
    """Return what to do about a cell of a column of labels that is not 0 or 1."""
    if is_number and is_usual:
        return (
            "choose other columns as 'labels' of the dataset reader, as most rows have other values"
        )
    if is_number or not isinstance(cell, str):
        return "correct it, or choose other columns as 'labels' of the dataset reader"
    if is_only:
        return (
            "set 'label_separator' of the dataset reader if the cell has names of labels, such as "
            "';' for 'a;b', or 'missing_values' if it stands for a missing value"
        )
    return (
        "correct it, add it to 'missing_values' of the dataset reader if it stands for a missing "
        "value, or choose other columns as 'labels'"
    )


def _of_columns(table: RawTable, columns: Sequence[str], settings: LabelSettings) -> Labels:
    values = []
    for name in columns:
        column, bad = as_numbers(table.columns[name], table.typed, settings.cells)
        wrong = np.flatnonzero(~(np.isnan(column) | (column == 0) | (column == 1)))
        rows = [*wrong.tolist(), *([] if bad is None else [bad])]
        if rows:
            row = min(rows)
            cell = table.columns[name][row]
            is_number = number(cell, table.typed, settings.cells) is not None
            hint = _hint(cell, is_number, len(columns) == 1, 2 * len(wrong) > len(column))
            raise ValueError(f"{table.at(row, name)}: expected 0 or 1, got {cell!r:.40}; {hint}.")
        values.append(column)
    if settings.names is not None and set(settings.names) != set(columns):
        raise ValueError(
            f"{table.source}: expected the columns of labels {_shortened(list(settings.names))}, "
            f"as in 'label_names' of the dataset reader, got {_shortened(list(columns))}."
        )
    matrix = np.stack(values, axis=1)
    return Labels(
        list(columns),
        [np.flatnonzero(row == 1) for row in matrix],
        [np.flatnonzero(np.isnan(row)) for row in matrix],
    )


def _of_lists(
    table: RawTable, column: str, cells: Sequence[Any], settings: LabelSettings
) -> Labels:
    rows: List[Tuple[List[str], List[str]]] = []
    names: Dict[str, None] = {}
    for row, cell in enumerate(cells):
        try:
            here, on, unknown = _names_of(cell, settings)
            for name in here:
                if settings.names is not None and name not in settings.names:
                    raise ValueError(
                        f"expected labels among {_shortened(list(settings.names))}, as in "
                        f"'label_names' of the dataset reader, got '{name[:40]}'"
                    )
        except ValueError as error:
            raise ValueError(f"{table.at(row, column)}: {error}.") from None
        rows.append((on, unknown))
        names.update(dict.fromkeys(here))
    ordered = sorted(names) if settings.names is None else list(settings.names)
    first = next((cell for cell in cells if isinstance(cell, dict)), None)
    if settings.names is None and first is not None:  # a dictionary keeps an order
        ordered = list(names)
    places = {name: place for place, name in enumerate(ordered)}

    def indices(each: List[str]) -> np.ndarray:
        return np.array(sorted(places[name] for name in each), dtype=np.int64)

    return Labels(
        ordered,
        [indices(on) for on, _ in rows],
        [indices(unknown) for _, unknown in rows],
        is_open=True,
    )


def _names_of(cell: Any, settings: LabelSettings) -> Tuple[List[str], List[str], List[str]]:
    """Return the labels that a cell names, those that are on, and those that are unknown."""
    if isinstance(cell, dict):
        on: List[str] = []
        unknown: List[str] = []
        for name, value in cell.items():
            label = number(value, True, settings.cells)
            if label is None or label not in (0, 1) and label == label:
                raise ValueError(f"expected 0 or 1 of the label '{name}', got {value!r:.40}")
            if label != 0:
                (on if label == 1 else unknown).append(str(name))
        return [str(name) for name in cell], on, unknown
    if isinstance(cell, str) and settings.separator is not None:
        if is_missing(cell, settings.cells):
            return [], [], []
        parts: List[Any] = [part.strip() for part in cell.split(settings.separator)]
        parts = [part for part in parts if part]
    elif cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return [], [], []
    elif isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        parts = sorted(cell) if isinstance(cell, (set, frozenset)) else list(cell)
    else:
        raise ValueError(
            "expected a list of labels, or a dictionary of 0 and 1 by label, got "
            f"{cell!r:.40}; set 'label_separator' of the dataset reader if it is a text of several"
        )
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, (str, int, np.integer, np.str_)):
            raise ValueError(f"expected names of labels, got {part!r:.40}")
    names = [str(part) for part in parts]
    if len(set(names)) < len(names):
        raise ValueError(f"expected each label once, got {names!r:.60}")
    return names, names, []


def labels_of_matrices(
    matrices: Matrices, settings: LabelSettings = LabelSettings()
) -> Optional[Labels]:
    """Return the labels of the rows of matrices, `None` where they have none.

    # Raises

    `ValueError` for labels that are none of `settings.names`.
    """
    y, names = matrices.labels, list(matrices.label_names)
    if y is None:
        return None
    if settings.names is not None:
        further = [name for name in names if name not in settings.names]
        if further:
            raise ValueError(
                f"{matrices.source}: expected labels among {_shortened(list(settings.names))}, as "
                f"in 'label_names' of the dataset reader, got '{further[0][:40]}'."
            )
        names = list(settings.names)
        y = y.copy()
        y.resize(y.shape[0], len(names))
        to = np.array([names.index(name) for name in matrices.label_names], dtype=np.int64)
        y.indices = to[y.indices]
    rows = [slice(y.indptr[row], y.indptr[row + 1]) for row in range(y.shape[0])]
    on, unknown = [], []
    for row in rows:
        places, values = y.indices[row], y.data[row]
        on.append(np.sort(places[values == 1]).astype(np.int64))
        unknown.append(np.sort(places[np.isnan(values)]).astype(np.int64))
    return Labels(names, on, unknown, matrices.is_open)


def as_patterns(labels: Optional[Union[str, Sequence[str]]]) -> Sequence[str]:
    """Return the setting `labels` as a list of names and patterns."""
    if labels is None:
        return (LABELS,)
    return (labels,) if isinstance(labels, str) else tuple(labels)
