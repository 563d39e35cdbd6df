"""Tables in memory: arrays, sparse matrices, DataFrames, dictionaries."""

import math
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from .matrices import matrices
from .raw import Matrices, RawTable
from .records import FEATURES, table_of_frame, table_of_records

Table = Union[RawTable, Matrices]


def table_of(
    X: Any,
    Y: Any = None,
    feature_names: Optional[Sequence[str]] = None,
    label_names: Optional[Sequence[str]] = None,
) -> Table:
    """Return the table of features and labels in memory.

    # Parameters

    X : array, sparse matrix, DataFrame, list of lists or list of dictionaries
        One row for each instance. A list of dictionaries has features by name; those that a
        dictionary leaves out are 0, or no category.
    Y : array or sparse matrix of 0 and 1, DataFrame of them, or list of lists of names, optional
        NaN is an unknown label. Rows of X and Y belong together by their place.
    feature_names, label_names : `Sequence[str]`, optional
        By default the names that X and Y have, otherwise `x0`, `x1`, … and `y0`, `y1`, ….

    # Raises

    `ValueError` for X and Y of different lengths, and for what is neither of these.
    """
    labels, label_names = _labels_of(Y, label_names)
    if _is_frame(X) and hasattr(Y, "iloc"):
        _check_index(X.index, Y.index)
    if _is_frame(X) or (isinstance(X, (list, tuple)) and len(X) and isinstance(X[0], dict)):
        if _is_frame(X):
            table = table_of_frame("X", X)
        else:
            rows = [row if FEATURES in row and len(row) <= 2 else {FEATURES: row} for row in X]
            table = table_of_records("X", rows, range(1, len(rows) + 1), "row")
        if feature_names is not None:
            table = _renamed(table, [str(name) for name in feature_names])
        _check_lengths(len(table.lines), labels)
        return table._replace(labels=labels_as_cells(labels, label_names), in_memory=True)
    x = X if hasattr(X, "tocsr") else _numbers("X", X)
    names = None if feature_names is None else [str(name) for name in feature_names]
    if names is not None and (len(names) != x.shape[1] or len(set(names)) < len(names)):
        raise ValueError(
            f"Expected {x.shape[1]} different feature_names, as X has columns, got {names!r:.60}."
        )
    _check_lengths(x.shape[0], labels)
    if isinstance(labels, list):
        labels, label_names = _as_matrix(labels, label_names)
    return matrices("X", x, labels, names, label_names)


def _is_frame(value: Any) -> bool:
    return hasattr(value, "iloc") and hasattr(value, "columns")


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
        array = array.astype(np.float64) if array.dtype.kind == "O" else array
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected {name} as a matrix of numbers, got {type(value).__name__}: {error}; give "
            "text in a DataFrame or in dictionaries."
        ) from None
    if array.ndim != 2 or array.dtype.kind not in "buif":
        raise ValueError(
            f"Expected {name} as a matrix of numbers with 2 dimensions, got {array.dtype} of the "
            f"shape {array.shape}."
        )
    return array


def _labels_of(Y: Any, label_names: Optional[Sequence[str]]) -> Tuple[Any, Optional[List[str]]]:
    """Return Y as a matrix or as a list of lists of names, and the names of the labels."""
    names = None if label_names is None else [str(name) for name in label_names]
    if Y is None:
        return None, names
    if getattr(Y, "ndim", 0) == 1 and Y.dtype == object:  # an array or a Series of lists
        Y = Y.tolist()
    if _is_frame(Y):
        names = names or [str(name) for name in Y.columns]
        Y = _numbers("Y", Y.astype(object).where(Y.notna(), np.nan).to_numpy())
    elif isinstance(Y, (list, tuple)) and any(
        isinstance(row, (set, frozenset, str)) or (len(row) and isinstance(row[0], str))
        for row in Y
        if hasattr(row, "__len__")
    ):
        for number, row in enumerate(Y, 1):
            if isinstance(row, str) or not hasattr(row, "__iter__"):
                raise ValueError(
                    f"Expected a list of labels in each row of Y, got {row!r:.40} in row {number}."
                )
            if any(label is None or label != label for label in row):
                raise ValueError(f"Expected names of labels in row {number} of Y, got {row!r:.60}.")
        return [[str(label) for label in row] for row in Y], names
    elif (
        isinstance(Y, (list, tuple))
        and Y
        and not any(len(row) for row in Y if hasattr(row, "__len__"))
        and names
    ):
        return [[] for _ in Y], names
    elif not hasattr(Y, "tocsr"):
        Y = _numbers("Y", Y)
    if names is not None and (len(names) != Y.shape[1] or len(set(names)) < len(names)):
        raise ValueError(
            f"Expected {Y.shape[1]} different label_names, as Y has columns, got {names!r:.60}."
        )
    return Y, names or [f"y{place}" for place in range(Y.shape[1])]


def _check_index(x: Any, y: Any) -> None:
    """Raise `ValueError` where the rows of two frames have the same names in another order."""
    if len(x) == len(y) and not x.equals(y) and x.sort_values().equals(y.sort_values()):
        raise ValueError(
            "Expected the rows of X and Y in one order, got the same index in another order; "
            "sort one by the other (Y.loc[X.index]), or reset both indices."
        )


def _check_lengths(rows: int, labels: Any) -> None:
    if labels is None:
        return
    count = len(labels) if isinstance(labels, list) else labels.shape[0]
    if count != rows:
        raise ValueError(f"Expected as many rows in Y as in X ({rows}), got {count}.")


def _renamed(table: RawTable, names: List[str]) -> RawTable:
    if len(names) != len(table.columns) or len(set(names)) < len(names):
        raise ValueError(
            f"Expected {len(table.columns)} different feature_names, as X has columns, got "
            f"{len(names)}."
        )
    return table._replace(columns=dict(zip(names, table.columns.values(), strict=True)))


def _as_matrix(
    labels: List[List[str]], label_names: Optional[List[str]]
) -> Tuple[np.ndarray, List[str]]:
    names = label_names or sorted({label for row in labels for label in row})
    places = {name: place for place, name in enumerate(names)}
    matrix = np.zeros((len(labels), len(names)), dtype=np.int8)
    for number, row in enumerate(labels):
        for label in row:
            if label not in places:
                raise ValueError(
                    f"Expected labels among label_names, got '{label[:40]}' in row {number + 1}."
                )
            matrix[number, places[label]] = 1
    return matrix, names


def labels_as_cells(
    labels: Any, label_names: Optional[List[str]]
) -> Optional[List[Dict[str, Any]]]:
    """Return the labels of each row as a dictionary; the first one has all labels, those that are 0
    are left out of the others."""
    if labels is None:
        return None
    if isinstance(labels, list):
        labels, label_names = _as_matrix(labels, label_names)
    y = matrices("Y", np.zeros((labels.shape[0], 0)), labels, [], label_names).labels
    names = label_names or []
    cells: List[Dict[str, Any]] = []
    for row in range(y.shape[0]):
        entries = slice(y.indptr[row], y.indptr[row + 1])
        pairs = zip(y.indices[entries].tolist(), y.data[entries].tolist(), strict=True)
        on = {names[place]: None if math.isnan(value) else 1 for place, value in sorted(pairs)}
        cells.append({name: on.get(name, 0) for name in names} if row == 0 else on)
    return cells
