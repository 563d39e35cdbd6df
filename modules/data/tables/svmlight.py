"""Tables in svmlight's format, and in that of the extreme classification repository."""

import re
from typing import List, NamedTuple

import numpy as np

from ..fields import LARGEST, is_finite
from .raw import Matrices
from .text import read_text

_HEADER = re.compile(r"\s*(\d{1,12})\s+(\d{1,9})\s+(\d{1,9})\s*")


class _Row(NamedTuple):
    labels: List[int]
    places: np.ndarray
    values: np.ndarray


def is_extreme(path: str, encoding: str) -> bool:
    """Return whether a file starts with the header `points features labels`."""
    return _HEADER.fullmatch(read_text(path, encoding).partition("\n")[0]) is not None


def read_svmlight(path: str, encoding: str, header: bool) -> Matrices:
    """Return the matrices of a svmlight file (`1,3 7:0.5 9:1`), or with `header` of one of the
    extreme classification repository, whose first line is `points features labels`.

    Names are the indices as they stand in the file. Without a header, those that occur are all.

    # Raises

    `ValueError` for lines of another form, with file and line.
    """
    import scipy.sparse

    text = read_text(path, encoding).split("\n")
    num_rows = num_features = num_labels = 0
    if header:
        match = _HEADER.fullmatch(text[0])
        if match is None:
            raise ValueError(
                f"{path}, line 1: expected the header 'POINTS FEATURES LABELS', such as "
                f"'15539 5000 3993', got '{text[0][:40]}'; without one, set 'format' of the "
                "dataset reader to 'svmlight'."
            )
        num_rows, num_features, num_labels = (int(number) for number in match.groups())
    rows: List[_Row] = []
    lines: List[int] = []
    for number, line in enumerate(text[1:] if header else text, 2 if header else 1):
        line = line.partition("#")[0]
        # In the repository's files an empty line is a point without features and labels.
        if not line.strip() and not (header and len(rows) < num_rows and number < len(text)):
            continue
        try:
            rows.append(_svmlight_row(line, num_features, num_labels, header))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        lines.append(number)
    if header and len(rows) != num_rows:
        raise ValueError(
            f"{path}: expected {num_rows} points, as its header says, got {len(rows)}; it is "
            "truncated, or the header is of another file."
        )
    if not rows:
        raise ValueError(f"{path}: expected rows such as '1,3 7:0.5 9:1', got none.")
    ends = np.cumsum([0, *(len(row.places) for row in rows)])
    places = np.concatenate([row.places for row in rows])
    values = np.concatenate([row.values for row in rows])
    all_labels = np.array([label for row in rows for label in row.labels], dtype=np.int64)
    label_ends = np.cumsum([0, *(len(row.labels) for row in rows)])
    if header:
        features, labels = np.arange(num_features), np.arange(num_labels)
    else:
        features, labels = np.unique(places), np.unique(all_labels)
    x = scipy.sparse.csr_matrix(
        (values, np.searchsorted(features, places), ends), shape=(len(rows), len(features))
    )
    y = scipy.sparse.csr_matrix(
        (np.ones(len(all_labels)), np.searchsorted(labels, all_labels), label_ends),
        shape=(len(rows), len(labels)),
    )
    x.eliminate_zeros()
    return Matrices(
        path,
        x,
        [str(name) for name in features.tolist()],
        lines,
        y,
        [str(name) for name in labels.tolist()],
        is_open=not header,
        place="line",
    )


def _svmlight_row(line: str, num_features: int, num_labels: int, header: bool) -> _Row:
    words = line.split()
    labels: List[int] = []
    if words and ":" not in words[0]:
        labels = [_label(word) for word in words.pop(0).split(",") if word]
        if len(set(labels)) < len(labels):
            raise ValueError(f"expected each label once, got '{line.split()[0][:40]}'.")
    words = [word for word in words if not word.startswith("qid:")]
    pairs = [word.partition(":") for word in words]
    try:
        places = np.array([int(place) for place, _, _ in pairs], dtype=np.int64)
        values = np.array([float(value) for _, _, value in pairs], dtype=np.float64)
    except (OverflowError, ValueError):
        places, values = np.zeros(0, dtype=np.int64), np.full(1, np.nan)
    if not (np.abs(values) <= LARGEST).all() or "_" in line or not line.isascii():
        wrong = next((word for word in words if not _is_pair(word)), line.strip())
        raise ValueError(
            "expected 'INDEX:VALUE' with a whole number and a finite one, such as '7:0.5', got "
            f"'{wrong[:40]}'."
        )
    if len(places) and (places.min() < 0 or (header and places.max() >= num_features)):
        raise ValueError(
            f"expected indices of features from 0{f' to {num_features - 1}' if header else ''}, "
            f"got {places.min() if places.min() < 0 else places.max()}."
        )
    if len(np.unique(places)) < len(places):
        ordered = np.sort(places)
        twice = ordered[:-1][np.diff(ordered) == 0][0]
        raise ValueError(f"expected each feature once, got {twice} twice.")
    if header and labels and not 0 <= min(labels) <= max(labels) < num_labels:
        raise ValueError(f"expected labels from 0 to {num_labels - 1}, got {labels[:8]}.")
    return _Row(labels, places, values)


def _label(word: str) -> int:
    try:
        number = float(word)
        if number.is_integer() and "_" not in word and word.isascii() and abs(number) < 2**53:
            return int(number)
    except (OverflowError, ValueError):
        pass
    raise ValueError(
        "expected labels as whole numbers with commas between them, such as '1,3', and "
        f"'INDEX:VALUE' after them, got '{word[:40]}'."
    )


def _is_pair(word: str) -> bool:
    place, _, value = word.partition(":")
    try:
        return is_finite(float(value)) and "_" not in word and word.isascii() and int(place) >= 0
    except (OverflowError, ValueError):
        return False
