"""Matrices of features and labels with names."""

from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ..fields import LARGEST
from .raw import Matrices


def matrices(
    source: str,
    features: Any,
    labels: Any = None,
    feature_names: Optional[Sequence[str]] = None,
    label_names: Optional[Sequence[str]] = None,
) -> Matrices:
    """Return matrices of scipy or numpy with names, by default `x0`, `x1`, … and `y0`, `y1`, ….

    # Raises

    `ValueError` for values that are not finite in single precision, and for labels other than 0, 1
    and NaN.
    """
    x = _plain(features)
    names = [f"x{i}" for i in range(x.shape[1])] if feature_names is None else list(feature_names)
    wrong = np.abs(x.data) > LARGEST
    if wrong.any():
        row, column, value = _first(x, wrong)
        raise ValueError(
            f"{source}, row {row + 1}, column '{names[column]}': expected a finite number of "
            f"single precision, got {value:g}."
        )
    y, y_names = None, list(label_names or ())
    if labels is not None:
        y = _plain(labels)
        if label_names is None:
            y_names = [f"y{i}" for i in range(y.shape[1])]
        wrong = (y.data != 1) & ~np.isnan(y.data)
        if wrong.any():
            row, column, value = _first(y, wrong)
            raise ValueError(
                f"{source}, row {row + 1}, label '{y_names[column]}': expected 0 or 1, got "
                f"{value:g}."
            )
    return Matrices(source, x, names, range(1, x.shape[0] + 1), y, y_names)


def _plain(matrix: Any) -> Any:
    """Return a matrix in compressed rows with one entry for each value that is not zero; that of
    the caller stays as it is."""
    import scipy.sparse

    rows = scipy.sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    rows.sum_duplicates()  # as toarray() does; a row of a network takes one value for each place
    rows.eliminate_zeros()
    return rows


def _first(matrix: Any, wrong: np.ndarray) -> Tuple[int, int, float]:
    """Return the row, the column and the value of the first entry that is wrong."""
    place = int(np.flatnonzero(wrong)[0])
    row = int(np.searchsorted(matrix.indptr, place, side="right")) - 1
    return row, int(matrix.indices[place]), float(matrix.data[place])
