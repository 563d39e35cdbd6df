"""A table as it is in its file: columns of cells, or matrices of numbers."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ...taxonomy import NAMESPACE

ABSENT = "\0absent"
"""The cell of a feature that a dictionary of features leaves out: 0, or no category."""


class RawTable(NamedTuple):
    """Columns of cells.

    # Fields

    source : `str`
        The file, for error messages.
    columns : `Dict[str, List[Any]]`
        The cells of each column: text in a file of text, otherwise numbers, bools, text or lists.
    lines : `Sequence[int]`
        The line of each row, or its number from 1.
    place : `str`
        What `lines` counts, `line` or `row`.
    typed : `bool`
        Whether text is text; where it is not, text may be a number.
    labels : `List[Any]`, optional
        The labels of each row, where they are no column.
    in_memory : `bool`
        Whether the table is the argument X of a function, not a file.
    """

    source: str
    columns: Dict[str, List[Any]]
    lines: Sequence[int]
    place: str = "line"
    typed: bool = False
    labels: Optional[List[Any]] = None
    in_memory: bool = False

    def at(self, row: int, column: str) -> str:
        """Return where a cell is, for error messages."""
        return f"{self.source}, {self.place} {self.lines[row]}, column '{column}'"

    def of_column(self, column: str) -> str:
        """Return where a column is, for error messages."""
        if self.in_memory:
            return f"Column '{column}' of {self.source}"
        return f"{self.source}, column '{column}'"

    def take(self, rows: Sequence[int]) -> "RawTable":
        """Return a table of these rows."""
        return self._replace(
            columns={name: [cells[row] for row in rows] for name, cells in self.columns.items()},
            lines=[self.lines[row] for row in rows],
            labels=None if self.labels is None else [self.labels[row] for row in rows],
        )


class Matrices(NamedTuple):
    """Features and labels as matrices of scipy in compressed rows.

    # Fields

    source : `str`
        The file, for error messages.
    features : `scipy.sparse.csr_matrix`
        `(rows, features)`; NaN is a missing value.
    feature_names : `List[str]`
    lines : `Sequence[int]`
        The line of each row, or its number from 1.
    labels : `scipy.sparse.csr_matrix`, optional
        `(rows, labels)` of 0 and 1; NaN is an unknown label.
    label_names : `List[str]`
    is_open : `bool`
        Whether names that the file lacks are zeros, as in svmlight, which has no header.
    place : `str`
        What `lines` counts, `line` or `row`.
    """

    source: str
    features: Any
    feature_names: List[str]
    lines: Sequence[int]
    labels: Any = None
    label_names: Sequence[str] = ()
    is_open: bool = False
    place: str = "row"


class Labels(NamedTuple):
    """The labels of the rows of a table.

    # Fields

    names : `List[str]`
    on : `List[np.ndarray]`
        The labels that are on, for each row.
    unknown : `List[np.ndarray]`
        The labels without a value, for each row.
    is_open : `bool`
        Whether other files of the data set may have labels that this one lacks.
    taxonomy : `List[str]`, optional
        The entries of the vocabulary that stand for the taxonomy of the labels.
    """

    names: List[str]
    on: List[np.ndarray]
    unknown: List[np.ndarray]
    is_open: bool = False
    taxonomy: Optional[List[str]] = None

    @property
    def entries(self) -> Dict[str, List[str]]:
        """The names, and the taxonomy if there is one, by the namespace of the vocabulary."""
        entries = {"labels": self.names}
        return entries if self.taxonomy is None else {**entries, NAMESPACE: self.taxonomy}
