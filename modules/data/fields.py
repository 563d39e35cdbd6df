"""Fields of AllenNLP instances: rows of a table with shared names, images."""

from collections import Counter
from typing import Collection, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
import torch
from allennlp.data import Vocabulary
from allennlp.data.fields import Field, TensorField

from ..taxonomy import NAMESPACE
from ..vocabulary import names

LARGEST = float(np.finfo(np.float32).max)
Counts = Dict[str, Dict[str, int]]


def is_finite(number: float) -> bool:
    """Return whether a number is finite in single precision, the precision of the networks."""
    return abs(number) <= LARGEST


class Schema:
    """The names of the columns of a table, shared by the fields of all its rows.

    # Parameters

    source : `str`
        The file, for error messages.
    columns : `Dict[str, Sequence[str]]`
        The names of the columns in each vocabulary namespace (`features`, `labels`), and the
        entries of the taxonomy of the labels, if there is one.
    groups : `Dict[str, str]`, optional
        The attribute of each feature that is one of its categories.
    attributes : `Dict[str, bool]`, optional
        The attributes, and whether they have categories. A category of theirs that the vocabulary
        lacks is left out, and one that only the vocabulary has is 0.
    is_open : `Collection[str]`
        The namespaces whose names the file may lack, where they are 0. A feature that only the file
        has is left out.

    # Raises

    `ValueError` where two columns have the same name.
    """

    def __init__(
        self,
        source: str,
        columns: Mapping[str, Sequence[str]],
        groups: Optional[Dict[str, str]] = None,
        attributes: Optional[Dict[str, bool]] = None,
        is_open: Collection[str] = (),
    ) -> None:
        for namespace, given in columns.items():
            if len(set(given)) < len(given):
                twice = next(name for name, count in Counter(given).items() if count > 1)
                raise ValueError(
                    f"{source}: expected {namespace} of different names, got '{twice}' twice."
                )
        self.source = source
        self.columns = columns
        self.groups = groups or {}
        self.attributes = attributes or {}
        self.is_open = is_open
        self._counters: List[Tuple[str, Counts]] = []
        self._positions: Dict[str, Tuple[Vocabulary, np.ndarray]] = {}
        self._sizes: Dict[str, int] = {}

    def count(self, namespace: str, counter: Counts) -> None:
        """Count the names of a namespace, once for each counter, in the order of the table."""
        if not any(key == namespace and seen is counter for key, seen in self._counters):
            self._counters.append((namespace, counter))
            for name in self.columns[namespace]:
                counter[namespace][name] += 1
            if namespace == "labels" and NAMESPACE in self.columns:
                self.count(NAMESPACE, counter)

    def positions(self, namespace: str, vocab: Vocabulary) -> np.ndarray:
        """Return for each column of the table its index among the names of the vocabulary, -1 of
        one that is left out.

        # Raises

        `ValueError` where the names of the table are not those of the vocabulary.
        """
        known = self._positions.get(namespace)
        if known is not None and known[0] is vocab:
            return known[1]
        expected = {name: place for place, name in enumerate(names(vocab, namespace))}
        mine = self.columns[namespace]
        kind = namespace.rstrip("s")
        left_out = self._left_out(namespace, expected)
        for name in mine:
            if name not in expected and name not in left_out:
                advice = (
                    "correct it, or train on data that have it."
                    if namespace == "labels"
                    else "all files of a data set need the same header."
                )
                raise ValueError(
                    f"{self.source}: got the {kind} '{name}', which the model's vocabulary does "
                    f"not have; {advice}"
                )
        absent = [] if namespace in self.is_open else self._absent(namespace, expected)
        if absent:
            raise ValueError(
                f"{self.source}: expected the {kind} '{min(absent)}', which other files of the "
                f"data set or the trained model have ({len(expected)} {namespace}), got only "
                f"{len(mine)}; all files of a data set need the same header."
            )
        positions = np.array([expected.get(name, -1) for name in mine], dtype=np.int64)
        self._positions[namespace] = (vocab, positions)
        self._sizes[namespace] = len(expected)
        return positions

    def size(self, namespace: str, vocab: Vocabulary) -> int:
        """Return the number of names of the vocabulary, once `positions` has read it."""
        self.positions(namespace, vocab)
        return self._sizes[namespace]

    def _left_out(self, namespace: str, expected: Dict[str, int]) -> Set[str]:
        """Return the features that the vocabulary may lack."""
        if namespace != "features":
            return set()
        if namespace in self.is_open:
            return set(self.columns[namespace])
        if not self.groups:
            return set()
        known = {name[:end] for name in expected for end, mark in enumerate(name) if mark == "="}
        return {
            name
            for name, attribute in self.groups.items()
            if attribute in known or (not self.attributes[attribute] and attribute in expected)
        }

    def _absent(self, namespace: str, expected: Dict[str, int]) -> List[str]:
        """Return the names of the vocabulary that the table lacks, and needs."""
        absent = sorted(expected.keys() - set(self.columns[namespace]))
        if namespace != "features" or not self.attributes:
            return absent
        return [name for name in absent if not self._is_category(name)]

    def _is_category(self, name: str) -> bool:
        """Return whether a feature is a category of an attribute, or says that it is missing."""
        return any(
            mark == "="
            and name[:end] in self.attributes
            and (self.attributes[name[:end]] or name[end:] == "=?")
            for end, mark in enumerate(name)
        )


class RowField(Field[torch.Tensor]):
    """One row of a table in one namespace, as the columns that are not zero.

    # Parameters

    schema : `Schema`
    namespace : `str`
    columns : `np.ndarray`
        The columns that are not zero, counted in the schema's order.
    values : `np.ndarray`, optional
        Their values; without them the row is bool.
    """

    __slots__ = ["schema", "namespace", "columns", "values", "positions", "size"]

    def __init__(
        self,
        schema: Schema,
        namespace: str,
        columns: np.ndarray,
        values: Optional[np.ndarray] = None,
    ) -> None:
        self.schema = schema
        self.namespace = namespace
        self.columns = columns
        self.values = values
        self.positions: Optional[np.ndarray] = None
        self.size = len(schema.columns[namespace])

    def count_vocab_items(self, counter: Counts) -> None:
        self.schema.count(self.namespace, counter)

    def index(self, vocab: Vocabulary) -> None:
        self.positions = self.schema.positions(self.namespace, vocab)
        self.size = self.schema.size(self.namespace, vocab)

    def get_padding_lengths(self) -> Dict[str, int]:
        return {}

    def places(self) -> np.ndarray:
        """The columns that are not zero, counted in the vocabulary's order."""
        places = self._all_places()
        return places[places >= 0]

    def place_values(self) -> Optional[np.ndarray]:
        """The values at `places`; `None` where the row is bool."""
        return None if self.values is None else self.values[self._all_places() >= 0]

    def _all_places(self) -> np.ndarray:
        """The columns that are not zero in the vocabulary's order, -1 for one that it lacks."""
        if self.positions is None:
            raise ValueError(
                f"Expected the field '{self.namespace}' to be indexed with a vocabulary first; "
                "call index_with of its data loader."
            )
        return self.positions[self.columns]

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        dtype = torch.bool if self.values is None else torch.float32
        tensor = torch.zeros(self.size, dtype=dtype)
        numbers = self.place_values()
        values = True if numbers is None else torch.from_numpy(numbers)
        tensor[torch.from_numpy(self.places())] = values
        return tensor

    def empty_field(self) -> "RowField":
        values = None if self.values is None else np.zeros(0, dtype=np.float32)
        return RowField(self.schema, self.namespace, np.zeros(0, dtype=np.int64), values)

    def human_readable_repr(self) -> Dict[str, float]:
        on = self.schema.columns[self.namespace]
        values = np.ones(len(self.columns)) if self.values is None else self.values
        return {on[c]: float(v) for c, v in zip(self.columns, values, strict=True)}


class ImageField(TensorField):
    """An image, or its mask: a tensor that is never padded.

    # Raises

    `ValueError` in a batch with another size.
    """

    __slots__: List[str] = []

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        if padding_lengths != self.get_padding_lengths():
            raise ValueError(
                "Expected images of one size in a batch, got some of "
                f"{list(self.get_padding_lengths().values())} among others of up to "
                f"{list(padding_lengths.values())}; set the reader's 'size', or take batches of 1."
            )
        return super().as_tensor(padding_lengths)
