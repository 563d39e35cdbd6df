"""Tables in `.npz` files of NumPy: X and Y, dense or sparse."""

from typing import Any, Dict, List, Optional

import numpy as np

from ..images import BROKEN
from .matrices import matrices
from .raw import Matrices

_SPARSE = ("data", "indices", "indptr", "shape")


def read_npz(path: str) -> Matrices:
    """Return the matrices of a `.npz` file: X and Y, dense or sparse, with names or without.

    # Raises

    `ValueError` for a file without X, with objects, or whose arrays do not fit each other.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (*BROKEN, AttributeError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: expected a .npz file with the array 'X', without objects, got: {said}"
        ) from None
    if "data" in arrays and "X" not in arrays:  # of scipy.sparse.save_npz
        kind = arrays.get("format", np.array("csr"))
        if bytes(np.asarray(kind).reshape(-1)[:1].astype("S8").tobytes()).rstrip(b"\0") != b"csr":
            raise ValueError(
                f"{path}: expected a sparse matrix in the format 'csr', got {kind!r:.40}; convert "
                "it by tocsr() before you save it."
            )
        arrays = {f"X_{key}": arrays[key] for key in _SPARSE if key in arrays}
    features = _matrix(path, "X", arrays)
    if features is None:
        raise ValueError(
            f"{path}: expected the array 'X', or 'X_data', 'X_indices', 'X_indptr' and 'X_shape' "
            f"of a sparse one, got {sorted(arrays)[:8]}."
        )
    labels = _matrix(path, "Y", arrays)
    if labels is not None and labels.shape[0] != features.shape[0]:
        raise ValueError(
            f"{path}: expected as many rows in 'Y' as in 'X' ({features.shape[0]}), got "
            f"{labels.shape[0]}."
        )
    return matrices(
        path,
        features,
        labels,
        _names(path, "feature_names", arrays, features.shape[1]),
        _names(path, "label_names", arrays, 0 if labels is None else labels.shape[1]),
    )


def _matrix(path: str, name: str, arrays: Dict[str, np.ndarray]) -> Any:
    """Return the dense or sparse matrix of this name, or `None`."""
    import scipy.sparse

    parts = [f"{name}_{part}" for part in _SPARSE]
    if name not in arrays and parts[0] not in arrays:
        return None
    missing = [part for part in parts if part not in arrays]
    if name not in arrays and missing:
        raise ValueError(f"{path}: expected the arrays {parts}, got no '{missing[0]}'.")
    used = [arrays[part] for part in ([name] if name in arrays else parts)]
    for array in used:
        if array.dtype.kind not in "buif":
            raise ValueError(
                f"{path}: expected numbers in the array '{name}', got the type {array.dtype}; save "
                "a table with text as CSV or JSON lines."
            )
    if name in arrays:
        if used[0].ndim != 2:
            raise ValueError(
                f"{path}: expected a matrix '{name}' with 2 dimensions, got the shape "
                f"{used[0].shape}."
            )
        return used[0]
    data, indices, ends, shape = used
    try:
        rows, columns = (int(size) for size in shape)
        matrix = scipy.sparse.csr_matrix((data, indices, ends), shape=(rows, columns))
        matrix.check_format(full_check=True)
        matrix.sum_duplicates()
    except (IndexError, MemoryError, OverflowError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: expected a sparse matrix '{name}' in compressed rows, got: {said}."
        ) from None
    return matrix


def _names(path: str, key: str, arrays: Dict[str, np.ndarray], count: int) -> Optional[List[str]]:
    if key not in arrays:
        return None
    array = arrays[key]
    if array.dtype.kind != "U" or array.shape != (count,):
        raise ValueError(
            f"{path}: expected {count} names (text) in the array '{key}', got the shape "
            f"{array.shape} of the type {array.dtype}."
        )
    return array.tolist()
