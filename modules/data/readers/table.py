"""Multi-label data in tables: CSV, JSON lines, Parquet, matrices."""

import copy
import logging
from typing import Any, Dict, Iterator, List, Literal, Optional, Sequence, Tuple, Union

import numpy as np
from allennlp.data import DatasetReader, Instance, Vocabulary

from ...vocabulary import names
from ..fields import Schema
from ..registry import resolve
from ..tables import (
    FORMATS,
    MISSING,
    CellSettings,
    ColumnSettings,
    FeatureRows,
    Features,
    Format,
    Labels,
    LabelSettings,
    Matrices,
    RawTable,
    Table,
    TextSettings,
    as_patterns,
    check_header,
    in_taxonomy,
    label_columns,
    labels_of_matrices,
    matching,
    read_labels,
    read_table,
    table_of,
    table_of_records,
)
from ..tables.records import FEATURES
from .tabular_reader import TabularReader, check_choice, check_encoding, check_separators

logger = logging.getLogger(__name__)


@DatasetReader.register("table")
class TableReader(TabularReader):
    """Read a table of features and labels: a row is an instance.

    The format follows from the suffix, before which `.gz` may stand for text: `.csv`, `.tsv`,
    `.jsonl` (a dictionary on each line), `.parquet`, `.npz` (arrays `X` and `Y`, dense or sparse,
    with `feature_names` and `label_names`), `.svm` and `.libsvm` (`1,3 7:0.5`), `.xmc` and `.txt`
    with the header `points features labels` of the extreme classification repository.

    Every column that is neither a label nor ignored is a feature. One whose cells are numbers (or
    true and false) is a number; one of text becomes a feature for each category (`color=red`). The
    data to train on (without a run, the first that are read) decide this; a category that they lack
    turns no feature on. A missing number becomes the mean of the training data, in the model.

    A path is a file or a pattern (`data/part-*.csv`), with or without a slice (`[:90%]?seed=1`).
    Data to predict for need no labels.

    # Parameters

    labels : `str` or `List[str]`
        The columns of labels, by names or patterns (`label_*`), by default `labels`: columns of 0
        and 1, or one column that has all labels of a row, as a list or as delimited text.
    label_separator : `str`, optional
        The mark between labels in text, such as `;`.
    label_names : `List[str]`, optional
        The set of labels and its order, by default those that occur.
    taxonomy : `str`, optional
        A file with the taxonomy of the labels, which are all its terms, closed under ancestors.
    ignore : `List[str]`
        Columns that are no features, such as ids, by names or patterns.
    categorical : `List[str]`
        Columns whose numbers are categories.
    missing : `"mean"`, `"indicator"` or `"error"`
        What becomes of a missing feature. With `indicator`, a feature `age=?` says so as well.
    missing_labels : `"error"` or `"mask"`
        With `mask`, a label of a column may be missing: instances get the field `mask`, and missing
        labels count in no loss and no metric.
    missing_values : `List[str]`
        The texts that stand for a missing value, besides the empty one.
    format : `str`, optional
        `csv`, `tsv`, `jsonl`, `parquet`, `npz`, `svmlight` or `xmc`, whatever the suffix.
    separator : `str`, optional
        The mark between the cells of CSV and TSV, by default a comma or a tab.
    decimal : `str`
        The mark before decimals in CSV and TSV.
    encoding : `str`
        Of the text.
    header : `bool`
        Whether the first line of CSV and TSV names the columns, otherwise `column_1`, ….

    # Raises

    `ValueError` for bad data, with file, line and column.
    """

    def __init__(
        self,
        labels: Optional[Union[str, List[str]]] = None,
        label_separator: Optional[str] = None,
        label_names: Optional[List[str]] = None,
        taxonomy: Optional[str] = None,
        ignore: Sequence[str] = (),
        categorical: Sequence[str] = (),
        missing: Literal["mean", "indicator", "error"] = "mean",
        missing_labels: Literal["error", "mask"] = "error",
        missing_values: Sequence[str] = MISSING,
        format: Optional[Format] = None,
        separator: Optional[str] = None,
        decimal: str = ".",
        encoding: str = "utf-8",
        header: bool = True,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances=max_instances)
        for name, value, choices in (
            ("missing", missing, ("mean", "indicator", "error")),
            ("missing_labels", missing_labels, ("error", "mask")),
            ("format", format, (None, *FORMATS)),
            ("decimal", decimal, (".", ",")),
        ):
            check_choice(name, value, choices, "table")
        check_separators(separator, label_separator)
        check_encoding(encoding, "table")
        cells = CellSettings(frozenset(["", *missing_values]), decimal)
        self.ignore = list(ignore)
        self.missing_labels = missing_labels
        self.taxonomy = taxonomy
        self.format = format
        self._text = TextSettings(encoding, separator or "", header)
        self._labels = LabelSettings(as_patterns(labels), label_separator, label_names, cells)
        columns = ColumnSettings(list(categorical), missing, cells, self.ignore)
        self._features = Features(columns)
        self._reads_labels = True

    def for_model(self, vocab: Vocabulary) -> "TableReader":
        """Return a reader of data of a trained model, which has its columns and categories; where
        there is no column `labels`, those named like the model's labels have them."""
        reader = copy.copy(self)
        reader._features = Features(self._features.settings, names(vocab, "features"))
        reader._labels = self._labels._replace(of_model=names(vocab, "labels"))
        return reader

    def for_prediction(self, vocab: Vocabulary) -> "TableReader":
        """Return a reader of features only, with the columns and categories of the model; labels
        are left out, in files that have them."""
        reader = self.for_model(vocab)
        reader._reads_labels = False
        return reader

    def check_header(self, file: str) -> None:
        """Raise `ValueError` for a label or an ignored column that the header of a file lacks."""
        check_header(file, self.format, self._text, self._labels, self._features.settings)

    def instances(self, path: str) -> Iterator[Instance]:
        if self.training_path not in (None, path) and not self._features.are_decided:
            next(self.instances(self.training_path), None)  # a lazy loader has not read it yet
        data = resolve(path)
        tables = [read_table(file, self.format, self._text) for file in data.files()]
        chosen = np.array(data.select(sum(len(table.lines) for table in tables)), dtype=np.int64)
        parts = []
        for table in tables:
            parts.append((table, chosen[chosen < len(table.lines)].tolist()))
            chosen = chosen[chosen >= len(table.lines)] - len(table.lines)
        yield from self._instances(path, parts)

    def table_to_instances(
        self,
        X: Any,
        Y: Any = None,
        feature_names: Optional[Sequence[str]] = None,
        label_names: Optional[Sequence[str]] = None,
    ) -> List[Instance]:
        """Return the instances of a table in memory; see `write_table` for its types.

        # Raises

        `ValueError` for a table that the reader would not read from a file either.
        """
        table = table_of(X, Y, feature_names, label_names)
        return list(self._instances("X", [(table, list(range(len(table.lines))))]))

    def _instances(self, path: str, parts: List[Tuple[Table, List[int]]]) -> Iterator[Instance]:
        labels = [self._read_labels(table) for table, _ in parts]
        chosen = [
            table.take(rows) if isinstance(table, RawTable) else table for table, rows in parts
        ]
        features = self._read_features(chosen, [rows for _, rows in parts])
        any_label, any_row = False, False
        for (table, rows), here, (schema, matrix) in zip(parts, labels, features, strict=True):
            if here is not None:
                schema = self._with_labels(schema, here)
            for place, row in enumerate(rows):
                line = place if isinstance(table, RawTable) else row
                entries = slice(matrix.indptr[line], matrix.indptr[line + 1])
                on = None if here is None else here.on[row]
                known = None
                if here is not None and self.missing_labels == "mask":
                    known = np.setdiff1d(np.arange(len(here.names)), here.unknown[row])
                any_row, any_label = True, any_label or bool(on is not None and len(on))
                yield self._instance(
                    schema,
                    matrix.indices[entries].astype(np.int64),
                    matrix.data[entries].astype(np.float32),
                    on,
                    known,
                )
        if any_row and not any_label and any(here is not None for here in labels):
            logger.warning("%s: no row has a label; check 'labels' of the dataset reader.", path)

    def _read_labels(self, table: Table) -> Optional[Labels]:
        """Return the labels of all rows of a table, `None` where they are not read."""
        if not self._reads_labels:
            return None
        if isinstance(table, RawTable):
            labels = read_labels(table, label_columns(table, self._labels), self._labels)
        else:
            of_matrices = labels_of_matrices(table, self._labels)
            if of_matrices is None or not of_matrices.names:
                raise ValueError(
                    f"{table.source}: expected labels (in a .npz file the array 'Y'), got none."
                )
            labels = of_matrices
        if not labels.names:
            raise ValueError(
                f"{table.source}: expected rows with labels, got no label in {len(table.lines)} "
                "rows; check 'labels' of the dataset reader."
            )
        labels = in_taxonomy(labels, table, self.taxonomy)
        if self.missing_labels == "mask":
            return labels._replace(is_open=labels.is_open and isinstance(table, Matrices))
        for row, unknown in enumerate(labels.unknown):
            if len(unknown):
                raise ValueError(
                    f"{table.source}, {table.place} {table.lines[row]}, column "
                    f"'{labels.names[unknown[0]]}': expected 0 or 1, got a missing value; set "
                    "missing_labels of the dataset reader to 'mask', which leaves it out of losses "
                    "and metrics, or remove the row."
                )
        return labels

    def _with_labels(self, schema: Schema, labels: Labels) -> Schema:
        return Schema(
            schema.source,
            {**schema.columns, **labels.entries},
            groups=schema.groups,
            attributes=schema.attributes,
            is_open={*schema.is_open, *(["labels"] if labels.is_open else [])},
        )

    def _read_features(
        self, tables: Sequence[Table], rows: Sequence[List[int]]
    ) -> List[FeatureRows]:
        raw = [table for table in tables if isinstance(table, RawTable)]
        if raw and len(raw) < len(tables):
            raise ValueError(
                f"{tables[0].source}: expected files of one format, got others beside it."
            )
        if raw:
            names = [self._feature_columns(table) for table in raw]
            return self._features.of_tables(raw, names)
        return [
            self._features.of_matrices(table, chosen)
            for table, chosen in zip(tables, rows, strict=True)
            if isinstance(table, Matrices)
        ]

    def _feature_columns(self, table: RawTable) -> List[str]:
        """Return the columns that are neither labels nor ignored.

        # Raises

        `ValueError` where there are none.
        """
        if self._reads_labels:
            labels = label_columns(table, self._labels)
        else:
            labels = matching(list(table.columns), self._labels.columns)
        left_out = {*labels, *matching(list(table.columns), self.ignore)}
        names = [name for name in table.columns if name not in left_out]
        if not names:
            raise ValueError(
                f"{table.source}: expected columns of features beside those of labels, got none; "
                "check 'labels' and 'ignore' of the dataset reader."
            )
        return names

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        reader = self.for_prediction(vocab) if self._reads_labels else self
        line = reader._features.by_name(line)
        is_nested = FEATURES in line
        table = table_of_records("The line", [line], [1], "record")
        labels = () if is_nested else (*self._labels.columns, *names(vocab, "labels"))
        left_out = matching(list(table.columns), [*labels, *self.ignore])
        present = [name for name in table.columns if name not in left_out]
        schema, matrix = reader._features.of_line(table, present, is_nested)
        entries = (matrix.indices.astype(np.int64), matrix.data.astype(np.float32))
        return reader._instance(schema, *entries)
