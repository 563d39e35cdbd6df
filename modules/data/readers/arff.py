"""Multi-label data in ARFF, as Mulan and MEKA publish it."""

import copy
import logging
import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Iterator, List, Literal, Optional, Set, Union

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary

from ...vocabulary import names
from ..arff import ArffHeader, read_arff
from ..arff_columns import ArffColumns
from ..registry import resolve
from .tabular_reader import TabularReader, check_encoding

logger = logging.getLogger(__name__)


@DatasetReader.register("arff")
class ArffReader(TabularReader):
    """Read multi-label ARFF files: dense and sparse rows, nominal and numeric attributes.

    The attributes that are labels are those of `labels_file` or `num_labels`, of MEKA's option
    `-C n` in the relation (n < 0: at the end), or of Mulan's XML file beside the data
    (`emotions.xml` for `emotions-train.arff`), in this order. The label set is the header's, not
    the data's. In the files of Clus the labels are the terms of the attribute of type
    `hierarchical`, whose taxonomy becomes part of the vocabulary. A nominal attribute with more
    than two values becomes one feature for each value. Data to predict for need no labels: the
    model's vocabulary has their names.

    A path is a file, a pattern (`data/part-*.arff`, equal headers), or of the registry
    (`data://bibtex/train`), each with or without a slice (`[:90%]?seed=1`).

    # Parameters

    labels_file : `str`, optional
        Mulan's XML file with the labels.
    num_labels : `int`, optional
        How many attributes are labels, at `labels_at`.
    labels_at : `"start"` or `"end"`
        Where those attributes are among all.
    missing_value : `float` or `"mean"`, optional
        The number for a missing feature (`?`), or the mean of the training data, which the model
        computes; without it, one is an error.
    missing_labels : `"error"` or `"mask"`
        With `mask`, a label may be missing (`?`): instances get the field `mask`, and missing
        labels count in no loss and no metric.
    closure : `bool`
        Whether the terms of a hierarchical attribute are closed under ancestors.
    encoding : `str`
        Of the text.

    # Raises

    `ValueError` for bad data, with file and line.
    """

    def __init__(
        self,
        labels_file: Optional[str] = None,
        num_labels: Optional[int] = None,
        labels_at: Literal["start", "end"] = "end",
        missing_value: Optional[Union[float, str]] = None,
        missing_labels: Literal["error", "mask"] = "error",
        closure: bool = True,
        encoding: str = "utf-8",
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances=max_instances)
        if labels_file is not None and num_labels is not None:
            raise ConfigurationError(
                "Expected labels_file or num_labels in the dataset reader 'arff', got both."
            )
        if labels_at not in ("start", "end"):
            raise ConfigurationError(f"Expected labels_at 'start' or 'end', got '{labels_at}'.")
        if missing_labels not in ("error", "mask"):
            raise ConfigurationError(
                "Expected missing_labels 'error' or 'mask' in the dataset reader 'arff', got "
                f"'{missing_labels}'."
            )
        if isinstance(missing_value, str) and missing_value != "mean":
            raise ConfigurationError(
                "Expected missing_value to be a number or 'mean' in the dataset reader 'arff', got "
                f"'{missing_value}'."
            )
        check_encoding(encoding, "arff")
        self.labels_file = labels_file
        self.num_labels = num_labels
        self.labels_at = labels_at
        self.missing_value = math.nan if isinstance(missing_value, str) else missing_value
        self.missing_labels = missing_labels
        self.closure = closure
        self.encoding = encoding
        self._names_of_labels: Optional[Set[str]] = None  # of a model that predicts

    def for_prediction(self, vocab: Vocabulary) -> "ArffReader":
        """Return a reader of features only: attributes named like a label of the model are left
        out, in files that have them."""
        reader = copy.copy(self)
        reader._names_of_labels = set(names(vocab, "labels"))
        return reader

    @property
    def _reads_labels(self) -> bool:
        return self._names_of_labels is None

    def instances(self, path: str) -> Iterator[Instance]:
        data = resolve(path)
        rows = [instance for file in data.files() for instance in self._read_file(file)]
        chosen = data.select(len(rows))
        labels = [rows[row].fields["labels"] for row in chosen if self._reads_labels]
        if labels and not any(len(label.columns) for label in labels):
            logger.warning(
                "%s: no row has a label; check which attributes are labels (here %s and so on).",
                path,
                labels[0].schema.columns["labels"][:3],
            )
        for index in chosen:
            yield rows[index]

    def _read_file(self, path: str) -> Iterator[Instance]:
        header, rows = read_arff(path, self.encoding)
        labels = self._label_attributes(path, header)
        columns = ArffColumns(path, header.attributes, labels, self._reads_labels, self.closure)
        any_row = False
        for row in rows:
            any_row = True
            cells = columns.split(row, self.missing_value)
            if len(cells.missing_labels) and self.missing_labels == "error":
                raise ValueError(
                    f"{path}, line {row.line}: expected the label "
                    f"'{columns.label_names[cells.missing_labels[0]]}' to be 0 or 1, got a missing "
                    "one ('?'); set missing_labels of the dataset reader to 'mask', which leaves "
                    "it out of losses and metrics, or remove the row."
                )
            known = None
            if self.missing_labels == "mask" and self._reads_labels:
                known = np.setdiff1d(np.arange(len(columns.label_names)), cells.missing_labels)
            yield self._instance(columns.schema, cells.features, cells.values, cells.labels, known)
        if not any_row:
            raise ValueError(f"{path}: expected rows after @data, got none; it is truncated.")

    def _label_attributes(self, path: str, header: ArffHeader) -> List[int]:
        if self._names_of_labels is not None:
            return [
                place
                for place, attribute in enumerate(header.attributes)
                if attribute.name in self._names_of_labels or attribute.taxonomy is not None
            ]
        hierarchical = [i for i, each in enumerate(header.attributes) if each.taxonomy is not None]
        if hierarchical:
            return hierarchical
        size = len(header.attributes)
        meka = _meka_count(header.relation)
        if self.labels_file is None and (self.num_labels is not None or meka is not None):
            if self.num_labels is not None:
                count, at_start = self.num_labels, self.labels_at == "start"
            else:
                assert meka is not None
                count, at_start = abs(meka), meka > 0
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


def _meka_count(relation: str) -> Optional[int]:
    """Return n of MEKA's option `-C n`, which follows a colon; the last one counts.

    >>> _meka_count("Hepatitis-C 2 study: -C -1"), _meka_count("Hepatitis-C 2 study")
    (-1, None)
    """
    name, colon, options = relation.partition(":")
    if not colon and name.startswith("-"):
        options = name
    counts = re.findall(r"(?<!\S)-C\s+(-?[0-9]{1,9})(?![\w.])", options)
    return int(counts[-1]) if counts else None


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
