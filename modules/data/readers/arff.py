"""Multi-label data in ARFF, as Mulan and MEKA publish it."""

import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Iterator, List, Literal, Optional, Set, Tuple

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance

from ..arff import ArffHeader, ArffRow, Attribute, read_arff
from ..fields import Schema
from ..registry import resolve
from .tabular_reader import TabularReader


@DatasetReader.register("arff")
class ArffReader(TabularReader):
    """Reads multi-label ARFF files: dense and sparse rows, nominal and numeric attributes.

    Which attributes are labels is said, in this order, by `labels_file` or `num_labels`, by MEKA's
    `-C n` in the relation (n < 0: at the end), or by Mulan's XML file beside the data
    (`emotions.xml` for `emotions-train.arff`). The label set is the header's, not the data's. A
    nominal attribute with more than two values becomes one feature for each value.

    A path is a file, a pattern (`data/part-*.arff`, equal headers), or of the registry
    (`data://bibtex/train[:90%]`).

    # Parameters

    labels_file : `str`, optional
        Mulan's XML file with the labels.
    num_labels : `int`, optional
        How many attributes are labels, at `labels_at`.
    labels_at : `"start"` or `"end"`
        Where those attributes are among all.
    missing_value : `float`, optional
        What a missing feature (`?`) becomes; without it, one is an error.

    # Raises

    `ValueError` for bad data, with file and line.
    """

    def __init__(
        self,
        labels_file: Optional[str] = None,
        num_labels: Optional[int] = None,
        labels_at: Literal["start", "end"] = "end",
        missing_value: Optional[float] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances=max_instances)
        if labels_file is not None and num_labels is not None:
            raise ConfigurationError(
                "Expected labels_file or num_labels in the dataset reader 'arff', got both."
            )
        if labels_at not in ("start", "end"):
            raise ConfigurationError(f"Expected labels_at 'start' or 'end', got '{labels_at}'.")
        self.labels_file = labels_file
        self.num_labels = num_labels
        self.labels_at = labels_at
        self.missing_value = missing_value

    def instances(self, path: str) -> Iterator[Instance]:
        data = resolve(path)
        rows = [instance for file in data.files() for instance in self._read_file(file)]
        for index in data.select(len(rows)):
            yield rows[index]

    def _read_file(self, path: str) -> Iterator[Instance]:
        header, rows = read_arff(path)
        columns = _Columns(path, header.attributes, self._label_attributes(path, header))
        any_row, any_label = False, False
        for row in rows:
            features, values, labels = columns.split(row, self.missing_value)
            any_row, any_label = True, any_label or len(labels) > 0
            yield self._instance(columns.schema, features, values, labels)
        if not any_row:
            raise ValueError(f"{path}: expected rows after @data, got none; it is truncated.")
        if not any_label:
            raise ValueError(
                f"{path}: expected labels, got none in any row; check which attributes are labels "
                f"(here {columns.schema.columns['labels'][:3]} and so on)."
            )

    def _label_attributes(self, path: str, header: ArffHeader) -> List[int]:
        size = len(header.attributes)
        meka = re.search(r"-C\s+(-?\d+)", header.relation)
        if self.labels_file is None and (self.num_labels is not None or meka):
            if self.num_labels is not None:
                count, at_start = self.num_labels, self.labels_at == "start"
            else:
                assert meka is not None
                count, at_start = abs(int(meka.group(1))), int(meka.group(1)) > 0
            if not 0 < count < size:
                raise ValueError(
                    f"{path}: expected between 1 and {size - 1} labels among {size} attributes, "
                    f"got {count}."
                )
            return list(range(count)) if at_start else list(range(size - count, size))
        places = {attribute.name: place for place, attribute in enumerate(header.attributes)}
        labels_file = self.labels_file or _labels_file_beside(path)
        labels = _read_labels(labels_file)
        for name in labels:
            if name not in places:
                raise ValueError(
                    f"{labels_file}: expected labels that are attributes of {path}, got '{name}'."
                )
        return [places[name] for name in labels]


def _labels_file_beside(path: str) -> str:
    stem = Path(path).stem
    candidates = [Path(path).with_name(f"{stem}.xml")]
    while "-" in stem:
        stem = stem.rpartition("-")[0]
        candidates.append(Path(path).with_name(f"{stem}.xml"))
    for candidate in candidates:
        if candidate.exists():
            return str(candidate)
    raise ValueError(
        f"{path}: expected to learn which attributes are labels from "
        f"{' or '.join(c.name for c in candidates)} beside it, got no such file; set labels_file "
        "or num_labels of the dataset reader."
    )


def _read_labels(path: str) -> List[str]:
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(f"{path}: expected Mulan's XML of labels, got: {error}.") from None
    labels = [e.get("name", "") for e in root.iter() if e.tag.rpartition("}")[2] == "label"]
    if not labels:
        raise ValueError(f"{path}: expected <label name=...> elements, got none.")
    return labels


class _Columns:
    """How the attributes of a file become columns of features and labels."""

    def __init__(self, path: str, attributes: List[Attribute], labels: List[int]) -> None:
        self.path = path
        self.attributes = attributes
        self.labels = {attribute: place for place, attribute in enumerate(labels)}
        for index in labels:
            if attributes[index].values is not None and set(attributes[index].codes) != {"0", "1"}:
                raise ValueError(
                    f"{path}: expected the label '{attributes[index].name}' to have the values 0 "
                    f"and 1, got {list(attributes[index].codes)[:4]}."
                )
        self.first_column = np.zeros(len(attributes), dtype=np.int64)
        feature_names: List[str] = []
        for index, attribute in enumerate(attributes):
            if index not in self.labels:
                self.first_column[index] = len(feature_names)
                feature_names += attribute.column_names
        self.is_label = np.array([index in self.labels for index in range(len(attributes))])
        self.label_place = np.array([self.labels.get(i, -1) for i in range(len(attributes))])
        self.one_hot = np.array([attribute.one_hot for attribute in attributes])
        self.first = np.array([attribute.first for attribute in attributes])
        self.written_anyway: Set[int] = set(np.flatnonzero(self.one_hot | (self.first != 0)))
        label_names = [attributes[index].name for index in labels]
        self.schema = Schema(path, {"features": feature_names, "labels": label_names})

    def split(
        self, row: ArffRow, missing_value: Optional[float]
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The feature columns that are not zero, their values, and the labels that are on."""
        attributes, values = row.attributes, row.values
        if self.written_anyway and len(attributes) < len(self.attributes):
            absent = sorted(self.written_anyway.difference(attributes.tolist()))
            attributes = np.concatenate([attributes, np.array(absent, dtype=np.int64)])
            values = np.concatenate([values, self.first[absent]])
        is_label = self.is_label[attributes]
        label_values = values[is_label]
        missing = np.isnan(values)
        if missing.any():
            values = self._fill(row, attributes, values, missing & ~is_label, missing_value)
        on = label_values == 1
        if not (on | (label_values == 0)).all():
            bad = attributes[is_label][~(on | (label_values == 0))][0]
            raise ValueError(
                f"{self.path}, line {row.line}: expected the label "
                f"'{self.attributes[bad].name}' to be 0 or 1, got "
                f"{values[attributes == bad][0]} (a missing label is nan)."
            )
        labels = np.sort(self.label_place[attributes[is_label][on]])
        features, values = attributes[~is_label], values[~is_label]
        columns = self.first_column[features]
        one_hot = self.one_hot[features]
        if one_hot.any():
            known = one_hot & ~np.isnan(values)
            columns[known] += values[known].astype(np.int64)
            values = np.where(one_hot, np.where(known, 1.0, 0.0), values)
        kept = values != 0
        return columns[kept], values[kept].astype(np.float32), labels

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
