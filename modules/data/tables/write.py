"""Files of tables that the reader `table` reads."""

import csv
import json
import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from ...atomic_files import atomic_path
from .cells import CellSettings, as_numbers
from .doubts import check_category
from .files import format_of
from .matrices import matrices
from .memory import Table, labels_as_cells, table_of
from .raw import ABSENT, Matrices, RawTable
from .records import FEATURES, LABELS

LABEL_PREFIX = "label:"
"""What the names of columns of labels begin with in a CSV, TSV or Parquet file that is written."""

_WRITABLE = ("csv", "tsv", "jsonl", "parquet", "npz", "svmlight")


def write_table(
    path: Union[str, Path],
    X: Any,
    Y: Any = None,
    feature_names: Optional[Sequence[str]] = None,
    label_names: Optional[Sequence[str]] = None,
) -> str:
    """Write features and labels to a file that the reader `table` reads, and return its path.

    The suffix of `path` decides the format: `.npz`, `.jsonl`, `.csv`, `.tsv`, `.parquet`, `.svm`
    (without names). Without one, a matrix becomes `.npz`, and a DataFrame or a list of dictionaries
    `.jsonl`; the reader needs no setting for either. In columns (`.csv`, `.tsv`, `.parquet`) the
    label `a` is called `label:a`, which the reader's `labels: 'label:*'` selects.

    Parameters and errors are those of `table_of`.

    >>> import tempfile
    >>> path = write_table(tempfile.mkdtemp() + "/mine", [[0.5, 2.0]], [["red", "blue"]])
    >>> path.endswith("mine.npz")
    True

    # Raises

    `ValueError` for a format that cannot hold the table.
    """
    return write_rows(path, table_of(X, Y, feature_names, label_names), X, Y)


def write_rows(path: Union[str, Path], table: Table, X: Any, Y: Any) -> str:
    """Write the table of X and Y, as `write_table` does."""
    is_matrix = isinstance(table, Matrices)
    kind = format_of(str(path)) if Path(path).suffix not in ("", ".txt") else None
    if Path(path).suffix == "":
        kind = "npz" if is_matrix else "jsonl"
        path = f"{path}.{kind}"
    if kind not in _WRITABLE or str(path).endswith(".gz"):
        raise ValueError(
            "Expected a path that ends in .npz, .jsonl, .csv, .tsv, .parquet or .svm, got "
            f"'{path}'."
        )
    if kind in ("npz", "svmlight") and isinstance(table, RawTable):
        table = _matrix_of(table, str(path))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if kind == "svmlight" and _has_missing(table):
        raise ValueError(
            f"Expected a matrix without missing values for the file '{path}', which has no mark "
            "for them, got NaN; write .npz."
        )
    with atomic_path(path) as target:
        if isinstance(table, RawTable):
            _write_cells(target, kind, table)
        elif kind == "npz":
            _write_npz(target, table, X if is_matrix else None, Y)
        elif kind == "svmlight":
            _write_svmlight(target, table)
        else:
            _write_cells(target, kind, _cells_of(table))
    return str(path)


def _matrix_of(table: RawTable, path: str) -> Matrices:
    """Return the matrix of columns that are all numbers.

    # Raises

    `ValueError` for other columns.
    """
    columns = []
    for name, cells in table.columns.items():
        values, bad = as_numbers(cells, True, CellSettings())
        if bad is not None:
            raise ValueError(
                f"Expected a matrix of numbers for the file '{path}', got {cells[bad]!r:.40} in "
                f"the column '{name}'; write .jsonl, .csv or .parquet."
            )
        columns.append(values)
    x = np.stack(columns, axis=1) if columns else np.zeros((len(table.lines), 0))
    labels, names = None, None
    if table.labels is not None:
        names = list(table.labels[0]) if table.labels else []
        rows = [[row.get(name, 0) for name in names] for row in table.labels]
        labels = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return matrices("X", x, labels, list(table.columns), names)


def _cells_of(table: Matrices) -> RawTable:
    x = table.features.toarray()
    columns = {
        name: [None if math.isnan(value) else value for value in x[:, place].tolist()]
        for place, name in enumerate(table.feature_names)
    }
    labels = None
    if table.labels is not None:
        labels = labels_as_cells(table.labels, list(table.label_names))
    return RawTable("X", columns, table.lines, "row", typed=True, labels=labels)


def _write_cells(path: Path, kind: str, table: RawTable) -> None:
    if kind == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            for row in range(len(table.lines)):
                cells = {
                    name: _plain(column[row])
                    for name, column in table.columns.items()
                    if column[row] is not ABSENT
                }
                line = {FEATURES: cells}
                if table.labels is not None:
                    line[LABELS] = table.labels[row]
                try:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                except TypeError:
                    for name, cell in cells.items():
                        check_category(table, row, name, cell)
                    raise
        return
    columns = {
        name: [_of_absent(cells) if cell is ABSENT else _plain(cell) for cell in cells]
        for name, cells in table.columns.items()
    }
    for name in table.labels[0] if table.labels else ():
        columns[LABEL_PREFIX + name] = [labels.get(name, 0) for labels in table.labels or ()]
    if kind == "parquet":
        _write_parquet(path, columns)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(
            file,
            delimiter="\t" if kind == "tsv" else ",",
            quoting=csv.QUOTE_NONNUMERIC,
            lineterminator="\n",
        )
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _of_absent(cells: List[Any]) -> Any:
    """Return the cell of a feature that is left out: 0 among numbers, missing among categories."""
    is_text = any(isinstance(cell, str) and cell is not ABSENT for cell in cells)
    return None if is_text else 0


def _plain(cell: Any) -> Any:
    """Return a cell as Python's own type."""
    cell = cell.item() if isinstance(cell, np.generic) else cell
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _write_parquet(path: Path, columns: Dict[str, List[Any]]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError(
            f"Expected the package pyarrow to write '{path}', got none; install it (`pip install "
            "pyarrow`), or write .jsonl or .csv."
        ) from None
    parquet.write_table(pyarrow.table(columns), path)


def _write_npz(path: Path, table: Matrices, X: Any, Y: Any) -> None:
    arrays: Dict[str, np.ndarray] = {
        **_arrays("X", X, table.features),
        "feature_names": np.array(table.feature_names, dtype=np.str_),
    }
    if table.labels is not None:
        arrays.update(_arrays("Y", Y, table.labels))
        arrays["label_names"] = np.array(table.label_names, dtype=np.str_)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _arrays(name: str, source: Any, matrix: Any) -> Dict[str, np.ndarray]:
    if isinstance(source, np.ndarray) and source.dtype.kind in "buif":
        return {name: source}  # of its dtype
    if not hasattr(source, "tocsr") and name == "X":
        return {name: matrix.toarray()}
    if name == "Y" and not np.isnan(matrix.data).any():
        matrix = matrix.astype(np.int8)
    elif hasattr(source, "tocsr"):
        matrix = matrix.astype(source.dtype)
    return {
        f"{name}_data": matrix.data,
        f"{name}_indices": matrix.indices,
        f"{name}_indptr": matrix.indptr,
        f"{name}_shape": np.array(matrix.shape),
    }


def _write_svmlight(path: Path, table: Matrices) -> None:
    x, y = table.features, table.labels
    with path.open("w", encoding="utf-8") as file:
        for row in range(x.shape[0]):
            words = []
            if y is not None:
                on = np.sort(y.indices[y.indptr[row] : y.indptr[row + 1]]).tolist()
                words = [",".join(map(str, on))]
            entries = slice(x.indptr[row], x.indptr[row + 1])
            pairs = zip(x.indices[entries].tolist(), x.data[entries].tolist(), strict=True)
            file.write(" ".join([*words, *(f"{i}:{v!r}" for i, v in sorted(pairs))]) + "\n")


def _has_missing(table: Table) -> bool:
    return isinstance(table, Matrices) and any(
        matrix is not None and bool(np.isnan(matrix.data).any())
        for matrix in (table.features, table.labels)
    )
