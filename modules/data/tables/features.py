"""The features of tables: their columns, as the data to train on or a trained model decide them."""

import logging
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ..fields import Schema
from .cells import as_numbers
from .columns import (
    UNKNOWN,
    Column,
    ColumnSettings,
    check_patterns,
    columns_of_model,
    encode,
    fit_columns,
    matching,
    raw_names,
)
from .raw import Matrices, RawTable
from .records import FEATURES

logger = logging.getLogger(__name__)


class FeatureRows(NamedTuple):
    """The features of the rows of a table: the schema of their names, and a matrix of scipy in
    compressed rows."""

    schema: Schema
    matrix: Any


class Features:
    """The columns that are features, and their categories.

    The first tables decide them, or the names of a model's features.

    # Parameters

    settings : `ColumnSettings`
    model_features : `List[str]`, optional
        The names of the features of a trained model.

    # Fields

    are_decided : whether they are.
    """

    def __init__(
        self, settings: ColumnSettings, model_features: Optional[List[str]] = None
    ) -> None:
        self.settings = settings
        self.model_features = model_features
        self._columns: Optional[List[Column]] = None
        self._indicators: Optional[List[str]] = None  # features of matrices with missing values
        self.are_decided = model_features is not None

    def of_tables(
        self, tables: Sequence[RawTable], names: Sequence[Sequence[str]]
    ) -> List[FeatureRows]:
        """Return the features of each table, whose columns `names` are features.

        # Raises

        `ValueError` for a cell that is not of its column's kind, with file, line and column, and
        for columns that differ from those of the data to train on.
        """
        if self.model_features is not None:
            columns = self._of_model(tables[0].source, names[0])
        else:
            if self._columns is None:
                for table, found in zip(tables, names, strict=True):
                    _check_equal(table.source, found, names[0])
                check_patterns(tables[0].source, list(tables[0].columns), self.settings)
                self._columns = fit_columns(tables, names[0], self.settings)
                self._warn_of_ids(tables[0])
                self.are_decided = True
            columns = self._columns
        expected = [column.name for column in columns]
        for table, found in zip(tables, names, strict=True):
            if self.model_features is not None:
                found = [name for name in found if name in expected]
            _check_equal(table.source, found, expected)
        schema = _schema(tables[0].source, columns)
        return [
            FeatureRows(_copy(schema, table.source), encode(table, columns, self.settings))
            for table in tables
        ]

    def _warn_of_ids(self, table: RawTable) -> None:
        for column in self._columns or ():
            if column.categories is not None or len(table.lines) < 10:
                continue
            values, _ = as_numbers(table.columns[column.name], table.typed, self.settings.cells)
            if (np.diff(values) == 1).all():
                advice = "list it in 'ignore' of the dataset reader"
                logger.warning(
                    "%s: the column '%s' numbers the rows; %s if it is an id.",
                    table.source,
                    column.name,
                    "drop it from X" if table.in_memory else advice,
                )

    def by_name(self, line: Dict[str, Any]) -> Dict[str, Any]:
        """Return a line to predict for with the features, where they are a list, by name.

        # Raises

        `ValueError` for features that are neither a list of the right length nor a dictionary.
        """
        features = line.get(FEATURES, {})
        if isinstance(features, dict):
            return line
        columns = raw_names(self.model_features or [])
        if not isinstance(features, list):
            raise ValueError(
                f"Expected features as a list, or as a dictionary by name, got {features!r:.40}."
            )
        if len(features) != len(columns):
            raise ValueError(
                f"Expected {len(columns)} features, as in the training data, got "
                f"{len(features)}; give a list of that length or a dictionary by name."
            )
        return {FEATURES: dict(zip(columns, features, strict=True))}

    def of_line(self, table: RawTable, names: Sequence[str], is_nested: bool) -> FeatureRows:
        """Return the features of one row to predict for; a column that a dictionary of features
        lacks is 0, and a flat line has them all (`None` is missing).

        # Raises

        `ValueError` for a name that is none of the model's columns, and for a flat line that lacks
        one.
        """
        assert self.model_features is not None
        known = columns_of_model(self.model_features, names)
        unknown = [name for name in names if name not in known]
        expected = raw_names(self.model_features)
        if unknown or (not known and not is_nested):
            found = f"'{unknown[0][:40]}', which is none of them" if unknown else "none"
            raise ValueError(
                f"Expected the key '{FEATURES}' (a list, or a dictionary by name), or features by "
                f"the names of the training data, such as {expected[:4]}, got {found}."
            )
        if not is_nested:
            present = {name for column in known.values() for name in column.feature_names}
            absent = raw_names([name for name in self.model_features if name not in present])
            if absent:
                shown = ", ".join(f"'{name[:40]}'" for name in absent[:5])
                more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
                raise ValueError(
                    f"Expected the {len(expected)} columns of features of the training data, got "
                    f"no {shown}{more}; give null for a missing value, or the key '{FEATURES}', "
                    "below which a feature that is left out is 0."
                )
        columns = list(known.values())
        schema = _schema(table.source, columns)
        schema.is_open = {FEATURES}
        return FeatureRows(schema, encode(table, columns, self.settings))

    def _of_model(self, source: str, names: Sequence[str]) -> List[Column]:
        assert self.model_features is not None
        known = columns_of_model(self.model_features, names)
        further = [name for name in names if name not in known]
        if further:
            logger.warning(
                "%s: the column '%s'%s is no feature of the model, and is left out.",
                source,
                further[0],
                f" (and {len(further) - 1} more)" if len(further) > 1 else "",
            )
        return list(known.values())

    def of_matrices(self, table: Matrices, rows: Sequence[int]) -> FeatureRows:
        """Return the features of matrices, of which `rows` are read.

        # Raises

        `ValueError` for NaN where `missing` is 'error', and for columns that shall be categories.
        """
        import scipy.sparse

        table = self._without_ignored(table)
        matrix = table.features
        is_nan = np.isnan(matrix.data)
        if self.settings.missing == "error" and is_nan.any():
            place = int(np.flatnonzero(is_nan)[0])
            row = int(np.searchsorted(matrix.indptr, place, side="right")) - 1
            raise ValueError(
                f"{table.source}, {table.place} {table.lines[row]}, column "
                f"'{table.feature_names[matrix.indices[place]]}': expected a number, got NaN; set "
                "'missing' of the dataset reader to 'mean' or 'indicator', or remove the row."
            )
        self.are_decided = True
        names = list(table.feature_names)
        if self.settings.missing == "indicator":
            unknown = scipy.sparse.csr_matrix(
                (is_nan.astype(np.float64), matrix.indices, matrix.indptr),
                shape=matrix.shape,
                copy=True,
            )
            unknown.eliminate_zeros()
            indicators = [f"{name}={UNKNOWN}" for name in names]
            places = [
                place
                for place, name in enumerate(indicators)
                if name in self._with_indicator(indicators, unknown[rows].indices)
            ]
            matrix = scipy.sparse.hstack([matrix, unknown[:, places]], format="csr")
            names += [indicators[place] for place in places]
        is_open = [FEATURES] if table.is_open else []
        columns: Dict[str, Sequence[str]] = {FEATURES: names}
        return FeatureRows(Schema(table.source, columns, is_open=is_open), matrix)

    def _without_ignored(self, table: Matrices) -> Matrices:
        names = list(table.feature_names)
        if not self.are_decided and not table.is_open:
            check_patterns(table.source, names, self.settings)
        chosen = matching(names, self.settings.categorical)
        if chosen:
            raise ValueError(
                f"{table.source}: expected a table of columns for 'categorical' of the dataset "
                f"reader ('{chosen[0][:40]}'), got a matrix; save it as CSV or JSON lines."
            )
        ignored = set(matching(names, self.settings.ignore))
        kept = [place for place, name in enumerate(names) if name not in ignored]
        if not ignored:
            return table
        return table._replace(
            features=table.features[:, kept], feature_names=[names[place] for place in kept]
        )

    def _with_indicator(self, indicators: Sequence[str], places: np.ndarray) -> List[str]:
        """Return the indicators that are features; `places` are those with a missing value here."""
        if self.model_features is not None:
            return self.model_features
        if self._indicators is None:
            self._indicators = [indicators[place] for place in np.unique(places)]
        return self._indicators


def _schema(source: str, columns: Sequence[Column]) -> Schema:
    groups = {
        feature: column.name
        for column in columns
        for feature in column.feature_names
        if feature != column.name
    }
    names = [name for column in columns for name in column.feature_names]
    attributes = {column.name: column.categories is not None for column in columns}
    return Schema(source, {FEATURES: names}, groups, attributes)


def _copy(schema: Schema, source: str) -> Schema:
    return Schema(source, schema.columns, schema.groups, schema.attributes, schema.is_open)


def _check_equal(source: str, found: Sequence[str], expected: Sequence[str]) -> None:
    known, present = set(expected), set(found)
    absent = [name for name in expected if name not in present]
    further = [name for name in found if name not in known]
    if absent or further:
        got = f"got no column '{absent[0]}'" if absent else f"got the column '{further[0]}' as well"
        raise ValueError(
            f"{source}: expected the {len(expected)} columns of features of the training data, "
            f"{got}; all files of a data set need the same header (leave columns out by 'ignore' "
            "of the dataset reader)."
        )
