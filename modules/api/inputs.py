"""Instances of values in memory."""

import os
from itertools import groupby
from pathlib import Path
from typing import Any, Iterator, List

import numpy as np
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.fields import TensorField
from PIL import Image

from ..data import (
    JsonReader,
    MultiLabelTextReader,
    SegmentationReader,
    TableReader,
    TaggingReader,
)
from ..data.readers.tabular_reader import TabularReader
from ..data.tables import raw_names
from ..vocabulary import names
from .run_data import check_file, check_label_columns

BATCH_SIZE = 128


def instances_of(
    reader: DatasetReader, vocab: Vocabulary, X: Any, Y: Any = None, with_labels: bool = False
) -> List[Instance]:
    """Return the instances of X, which is a path or values in memory, for the model of `vocab`.

    # Raises

    `ValueError` where the reader does not read values of this form.
    """
    if isinstance(X, (str, os.PathLike)):
        if Y is not None:
            raise ValueError(
                f"Expected no Y beside the file '{X}', whose labels the model's reader reads."
            )
        _check_path(reader, str(X))
        if not with_labels and isinstance(reader, JsonReader):
            reader = reader.for_prediction(vocab)
        elif isinstance(reader, TableReader):
            reader = reader.for_model(vocab)
        instances = list(reader.read(str(X)))
        for instance in instances if not with_labels else ():  # no label reaches a prediction
            instance.fields.pop("labels", None)
        return instances
    if not isinstance(reader, JsonReader):
        raise ValueError(
            f"Expected the path of a file for the reader {type(reader).__name__}, got values of "
            f"type {type(X).__name__}."
        )
    _refuse_single(reader, X)
    if Y is None and with_labels:
        raise ValueError("Expected the labels Y of the values X, got none.")
    if isinstance(reader, TableReader):
        features = names(vocab, "features")
        # An array has the features of the model in their order; its columns have no names.
        is_array = np.ndim(X) == 2 if isinstance(X, list) else not hasattr(X, "columns")
        columns = _columns_of(X, features) if is_array and len(np.shape(X)) == 2 else None
        if not with_labels:
            return reader.for_prediction(vocab).table_to_instances(X, None, columns)
        labels = None if hasattr(Y, "columns") else names(vocab, "labels")
        if labels is None:
            check_label_columns(Y, names(vocab, "labels"))
        return reader.for_model(vocab).table_to_instances(X, Y, columns, labels)
    values = _listed(X)
    outputs = [None] * len(values) if Y is None else _outputs(reader, vocab, Y)
    if len(outputs) != len(values):
        raise ValueError(
            f"Expected as many outputs Y as inputs X ({len(values)}), got {len(outputs)}."
        )
    absent = [place for place, output in enumerate(outputs) if Y is not None and output is None]
    if absent:
        raise ValueError(f"Expected an output in Y for each input, got none for X[{absent[0]}].")
    instances = [
        reader.value_to_instance(value, vocab, output)
        for value, output in zip(values, outputs, strict=True)
    ]
    for instance in instances:
        reader.apply_token_indexers(instance)
    return instances


def _columns_of(X: Any, features: List[str]) -> List[str]:
    """Return the names of the columns of an array: the features of the model in their order, with
    or without those that say where a value is missing."""
    raw = raw_names(features)
    for columns in (features, raw):
        if np.shape(X)[1] == len(columns) and set(columns) <= set(features):
            return columns
    raise ValueError(
        f"Expected an array with {len(features)} columns, the features of the model in order, "
        f"got {np.shape(X)[1]}; give a data frame or dictionaries for columns by name."
    )


def _listed(X: Any) -> List[Any]:
    """Return the values of X, one for each instance."""
    if hasattr(X, "columns"):  # a data frame
        return list(X.to_dict(orient="records"))
    if hasattr(X, "toarray"):  # a sparse matrix
        return list(X.toarray())
    if not hasattr(X, "__iter__"):
        raise ValueError(
            "Expected a list, an array or a data frame with a value for each instance, or the path "
            f"of a file, got {str(X)[:60]}."
        )
    return list(X)


def _check_path(reader: DatasetReader, path: str) -> None:
    """Raise `ValueError` for a text that is no path of data: a sentence, one image, no file."""
    if isinstance(reader, TaggingReader):
        check_file(path, "; give a list of sentences, even for one")
    elif isinstance(reader, MultiLabelTextReader):
        check_file(path, "; give a list of texts, even for one")
    elif isinstance(reader, SegmentationReader):
        check_file(path)
        if Path(path).is_file() and Path(path).suffix != ".npz":
            raise ValueError(
                f"Expected a list of image files, a folder or a .npz file, got the file '{path}'; "
                "put it into a list."
            )
    else:
        check_file(path)


def _refuse_single(reader: DatasetReader, X: Any) -> None:
    """Raise `ValueError` for one instance in place of several."""
    if isinstance(X, dict):
        raise ValueError("Expected a list of lines, got one dictionary; put it into a list.")
    if isinstance(X, Image.Image):
        raise ValueError("Expected a list of images, got one; put it into a list.")
    if isinstance(reader, TabularReader) and hasattr(X, "to_frame") and not hasattr(X, "columns"):
        raise ValueError(
            "Expected a row for each instance, got a Series; give a data frame, such as "
            "df.iloc[[0]] for one row or df[['age']] for one column."
        )


def _outputs(reader: JsonReader, vocab: Vocabulary, Y: Any) -> List[Any]:
    is_named = isinstance(Y, list) and not (Y and np.ndim(Y[0]) and _is_binary(Y[0]))
    if not isinstance(reader, TabularReader) and (
        is_named or not isinstance(reader, MultiLabelTextReader)
    ):
        return _listed(Y)
    labels = names(vocab, "labels")
    on = np.asarray(Y.toarray() if hasattr(Y, "toarray") else Y)
    if on.ndim != 2 or on.shape[1] != len(labels):
        raise ValueError(
            f"Expected Y as an array (num_instances, {len(labels)}) of 0 and 1, got the shape "
            f"{on.shape}."
        )
    return [[labels[place] for place in np.flatnonzero(row)] for row in on]


def _is_binary(row: Any) -> bool:
    return bool(len(row)) and all(value in (0, 1) for value in row)


def batches_of(instances: List[Instance]) -> Iterator[List[Instance]]:
    """Yield batches in order, each of images of one size where the inputs are images."""

    def size(instance: Instance) -> Any:
        x = instance.fields["x"]
        return tuple(x.tensor.shape) if isinstance(x, TensorField) else None

    for _, group in groupby(instances, key=size):
        same = list(group)
        for start in range(0, len(same), BATCH_SIZE):
            yield same[start : start + BATCH_SIZE]
