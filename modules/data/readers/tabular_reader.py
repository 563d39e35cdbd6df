"""The base of readers of tables: rows of features and labels."""

from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary

from ...vocabulary import names
from ..fields import RowField, Schema, is_finite
from .json_reader import JsonReader

Features = Union[Sequence[float], Dict[str, float]]


class TabularReader(JsonReader):
    """The base of readers whose instances have the fields `x` (features) and `labels`, both by
    name, and `mask` (the labels that are known) where some are not."""

    def _instance(
        self,
        schema: Schema,
        columns: np.ndarray,
        values: np.ndarray,
        labels: Optional[np.ndarray] = None,
        known_labels: Optional[np.ndarray] = None,
    ) -> Instance:
        fields = {"x": RowField(schema, "features", columns, values)}
        if known_labels is not None:
            fields["mask"] = RowField(schema, "labels", known_labels)
        if labels is not None:
            fields["labels"] = RowField(schema, "labels", labels)
        return Instance(fields)

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        if "features" not in line:
            raise ValueError(
                "Expected a line with the key 'features' (a list, or a dictionary by name), got "
                f"the keys {sorted(line)}."
            )
        return self.text_to_instance(
            line["features"], names(vocab, "features"), label_names=names(vocab, "labels")
        )

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of the features of a row, as a list or by name, or of a line of JSON.
        The output holds the names of its labels."""
        features = value
        if isinstance(value, dict) and isinstance(value.get("features"), (list, dict)):
            features = value["features"]
        return self.text_to_instance(
            features, names(vocab, "features"), output, names(vocab, "labels")
        )

    def text_to_instance(
        self,
        features: Features,
        feature_names: List[str],
        labels: Optional[Iterable[str]] = None,
        label_names: Sequence[str] = (),
    ) -> Instance:
        """Return an instance of features as numbers in the order of `feature_names`, or by name
        (those that are left out are 0), and of the names of its labels.

        # Raises

        `ValueError` for a wrong number of features, an unknown name, or a value that is not finite.
        """
        places = {name: place for place, name in enumerate(feature_names)}
        if isinstance(features, dict):
            unknown = [name for name in features if name not in places]
            if unknown:
                raise ValueError(
                    f"Expected features by the {len(places)} names of the training data, got "
                    f"'{unknown[0]}', which is none of them."
                )
            given = [(places[name], value) for name, value in features.items()]
        else:
            if not isinstance(features, (list, tuple, np.ndarray)):
                raise ValueError(
                    "Expected features as a list of numbers, or as a dictionary of them by name, "
                    f"got {features!r:.40}."
                )
            if len(features) != len(places):
                raise ValueError(
                    f"Expected {len(places)} features, as in the training data, got "
                    f"{len(features)}; give a list of that length or a dictionary by name."
                )
            given = list(enumerate(features))
        columns, values = _numbers(given, feature_names)
        schema = Schema("input", {"features": feature_names, "labels": label_names})
        on = None
        if labels is not None:
            on = np.array([label_names.index(label) for label in labels], dtype=np.int64)
        return self._instance(schema, columns, values, on)


def _numbers(
    given: List[Tuple[int, float]], feature_names: List[str]
) -> Tuple[np.ndarray, np.ndarray]:
    def read() -> Iterator[Tuple[int, float]]:
        for column, value in given:
            try:
                number = float(value)
            except (OverflowError, TypeError, ValueError):
                number = float("nan")
            if not is_finite(number):
                raise ValueError(
                    "Expected a finite number of single precision for the feature "
                    f"'{feature_names[column]}', got {value!r:.40}."
                )
            if number:
                yield column, number

    pairs = list(read())
    return (
        np.array([column for column, _ in pairs], dtype=np.int64),
        np.array([number for _, number in pairs], dtype=np.float32),
    )


def check_choice(name: str, value: Any, choices: Sequence[Any], reader: str) -> None:
    """Raise `ConfigurationError` where a parameter of a reader is none of its choices."""
    if value not in choices:
        raise ConfigurationError(
            f"Expected {name} of the dataset reader '{reader}' to be one of {list(choices)}, got "
            f"{value!r}."
        )


def check_encoding(encoding: str, reader: str) -> None:
    """Raise `ConfigurationError` for an encoding that Python does not know."""
    try:
        b"a".decode(encoding, "ignore")
    except LookupError:
        raise ConfigurationError(
            "Expected the encoding of a text, such as 'utf-8' or 'latin-1', in the dataset reader "
            f"'{reader}', got '{encoding}'."
        ) from None


def check_separators(
    separator: Optional[str], label_separator: Optional[str], reader: str = "table"
) -> None:
    """Raise `ConfigurationError` for separators of a table that separate nothing."""
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise ConfigurationError(
            f"Expected separator of the dataset reader '{reader}' to be one character, got "
            f"{separator!r}."
        )
    if label_separator == "":
        raise ConfigurationError(
            f"Expected label_separator of the dataset reader '{reader}' to be a text, got none."
        )
