"""Attributes of an ARFF file as columns of features and labels."""

import math
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from ..taxonomy import NAMESPACE
from .arff import ArffRow, Attribute
from .fields import Schema


class Cells(NamedTuple):
    """The cells of one row.

    # Fields

    features, values : the feature columns that are not zero, and their values.
    labels : the labels that are on; `None` where labels are not read.
    missing_labels : the labels without a value.
    """

    features: np.ndarray
    values: np.ndarray
    labels: Optional[np.ndarray]
    missing_labels: np.ndarray


class ArffColumns:
    """The columns of features and labels that the attributes of a file become.

    # Parameters

    path : `str`
        The file, for error messages.
    attributes : `List[Attribute]`
    labels : `List[int]`
        The attributes that are labels.
    reads_labels : `bool`
        Whether to read the values of labels, or leave them out.
    closure : `bool`
        Whether the labels of a hierarchical attribute are closed under ancestors.

    # Raises

    `ValueError` for a label with other values than 0 and 1, and for a hierarchical attribute beside
    other labels.
    """

    def __init__(
        self,
        path: str,
        attributes: List[Attribute],
        labels: List[int],
        reads_labels: bool = True,
        closure: bool = True,
    ) -> None:
        self.path = path
        self.attributes = attributes
        self.reads_labels = reads_labels
        places = {attribute: place for place, attribute in enumerate(labels)}
        self.hierarchical = next((i for i in labels if attributes[i].taxonomy is not None), None)
        self.closure = closure
        if reads_labels and self.hierarchical is not None and len(labels) > 1:
            raise ValueError(
                f"{path}: expected one hierarchical attribute and no other labels, got the labels "
                f"{[attributes[index].name for index in labels[:4]]}."
            )
        for index in labels if reads_labels else ():
            if attributes[index].values is not None and set(attributes[index].codes) != {"0", "1"}:
                raise ValueError(
                    f"{path}: expected the label '{attributes[index].name}' to have the values 0 "
                    f"and 1, got {list(attributes[index].codes)[:4]}."
                )
        self.first_column = np.zeros(len(attributes), dtype=np.int64)
        feature_names: List[str] = []
        for index, attribute in enumerate(attributes):
            if index not in places:
                self.first_column[index] = len(feature_names)
                feature_names += attribute.column_names
        self.is_label = np.array([index in places for index in range(len(attributes))])
        self.label_place = np.array([places.get(i, -1) for i in range(len(attributes))])
        self.one_hot = np.array([attribute.one_hot for attribute in attributes])
        self.first = np.array([attribute.first for attribute in attributes])
        self.written_anyway: Set[int] = set(np.flatnonzero(self.one_hot | (self.first != 0)))
        self.label_names = [attributes[index].name for index in labels]
        columns: Dict[str, Sequence[str]] = {"features": feature_names, "labels": self.label_names}
        if self.hierarchical is not None:
            taxonomy = attributes[self.hierarchical].taxonomy
            assert taxonomy is not None
            self.label_names = list(taxonomy.terms)
            columns.update({"labels": self.label_names, NAMESPACE: taxonomy.entries()})
        self.schema = Schema(path, columns)

    def split(self, row: ArffRow, missing_value: Optional[float]) -> Cells:
        """Return the cells of a row, with `missing_value` for its missing features.

        # Raises

        `ValueError` for a missing feature without `missing_value`, and for a label that is neither
        0 nor 1, with file and line.
        """
        attributes, values = row.attributes, row.values
        if self.written_anyway and len(attributes) < len(self.attributes):
            absent = sorted(self.written_anyway.difference(attributes.tolist()))
            attributes = np.concatenate([attributes, np.array(absent, dtype=np.int64)])
            values = np.concatenate([values, self.first[absent]])
        is_label = self.is_label[attributes]
        labels, missing_labels = self._labels(row.line, attributes[is_label], values[is_label])
        missing = np.isnan(values)
        if missing.any():
            values = self._fill(row, attributes, values, missing & ~is_label, missing_value)
        features, values = attributes[~is_label], values[~is_label]
        columns = self.first_column[features]
        one_hot = self.one_hot[features]
        if one_hot.any():
            known = one_hot & ~np.isnan(values)
            columns[known] += values[known].astype(np.int64)
            values = np.where(one_hot, np.where(known, 1.0, 0.0), values)
        kept = values != 0
        return Cells(columns[kept], values[kept].astype(np.float32), labels, missing_labels)

    def _labels(
        self, line: int, attributes: np.ndarray, values: np.ndarray
    ) -> Tuple[Optional[np.ndarray], np.ndarray]:
        """Return the labels that are on, and those that are missing."""
        if not self.reads_labels:
            return None, np.zeros(0, dtype=np.int64)
        if self.hierarchical is not None:
            return self._terms(line, values)
        on, missing = values == 1, np.isnan(values)
        wrong = ~(on | missing | (values == 0))
        if wrong.any():
            raise ValueError(
                f"{self.path}, line {line}: expected the label "
                f"'{self.attributes[attributes[wrong][0]].name}' to be 0 or 1, got "
                f"{values[wrong][0]:g}."
            )
        places = self.label_place[attributes]
        return np.sort(places[on]), np.sort(places[missing])

    def _terms(self, line: int, values: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return the terms of a row, closed under ancestors; none is missing."""
        assert self.hierarchical is not None
        attribute = self.attributes[self.hierarchical]
        assert attribute.taxonomy is not None
        if not len(values) or np.isnan(values[0]):
            raise ValueError(
                f"{self.path}, line {line}: expected terms of the attribute '{attribute.name}', "
                "got a missing value; remove the row."
            )
        terms = attribute.term_sets[int(values[0])]
        places = attribute.taxonomy.close(terms) if self.closure else np.unique(terms)
        return places, np.zeros(0, dtype=np.int64)

    def _fill(
        self,
        row: ArffRow,
        attributes: np.ndarray,
        values: np.ndarray,
        missing: np.ndarray,
        missing_value: Optional[float],
    ) -> np.ndarray:
        if missing.any() and missing_value is None:
            name = self.attributes[attributes[missing][0]].name
            raise ValueError(
                f"{self.path}, line {row.line}: expected a value of the attribute '{name}', got a "
                "missing one ('?'); set missing_value of the dataset reader."
            )
        one_hot = self.one_hot[attributes]  # a missing one-hot value stays unknown: no column is on
        fill = math.nan if missing_value is None else missing_value
        return np.where(missing & ~one_hot, fill, values)
