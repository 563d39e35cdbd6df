"""A data loader that holds the whole set as tensors."""

import random
from typing import Any, Dict, Iterator, List, Optional, Union

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.tqdm import Tqdm
from allennlp.data import DataLoader, DatasetReader, Instance, TensorDict, Vocabulary
from allennlp.data.fields import TensorField, TextField

from ..workers import num_workers, rank
from .augmentations import Augmentation
from .fields import ImageField, RowField
from .text_tables import Texts
from .texts import TextsField
from .transfer import tensor_on


@DataLoader.register("tensor")
class TensorDataLoader(DataLoader):
    """Batches by index from the whole set, for readers of rows (`arff`, `digits-completion`), of
    texts with labels (`multi-label-text`) and of images of one size (`segmentation-npy`).

    The instances, their order under a seed (Python's `random`, once an epoch) and the accounting of
    epochs are those of AllenNLP's `multiprocess` loader, at a fraction of its cost: rows stay
    sparse until their batch. In distributed training every worker sees the same order and takes
    every n-th instance of it, in the same number of batches, so that no instance is left out and
    no worker waits.

    # Parameters

    reader, data_path
        Given by AllenNLP.
    batch_size : `int`
        Of each worker.
    shuffle : `bool`
        Whether the order is drawn anew in every epoch.
    drop_last : `bool`
        Whether to leave out a last batch that is smaller.
    batches_per_epoch : `int`, optional
        The length of an epoch in batches; the next epoch continues where the last one ended.
    max_instances : `int`, optional
        How many instances of the data are used.
    augmentations : `List[Augmentation]`, optional
        Augmentations of every batch of images, applied in this order.

    # Raises

    `ConfigurationError` for a setting that gives no batches, and for augmentations of data that
    are not images; `ValueError` where there are fewer instances than workers.
    """

    def __init__(
        self,
        reader: DatasetReader,
        data_path: str,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        batches_per_epoch: Optional[int] = None,
        max_instances: Optional[int] = None,
        augmentations: Optional[List[Augmentation]] = None,
    ) -> None:
        for name, value in (
            ("batch_size", batch_size),
            ("batches_per_epoch", batches_per_epoch),
            ("max_instances", max_instances),
        ):
            if value is not None and value < 1:
                raise ConfigurationError(
                    f"Expected {name} of the data loader 'tensor' to be at least 1, got {value}."
                )
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.batches_per_epoch = batches_per_epoch
        self.augmentations = augmentations or []
        self._rank = rank()
        self._world = num_workers()
        self._instances = _read(reader, data_path, max_instances)
        if len(self._instances) < self._world:
            raise ValueError(
                f"Expected at least one instance for each of {self._world} workers in "
                f"'{data_path}', got {len(self._instances)}."
            )
        if not self._sizes():  # of drop_last
            raise ConfigurationError(
                f"Expected at least one batch of {batch_size} for each of {self._world} workers in "
                f"'{data_path}' where drop_last is true, got {len(self._instances)} instances."
            )
        x = self._instances[0].fields.get("x")
        if self.augmentations and not (isinstance(x, TensorField) and x.tensor.dim() == 3):
            raise ConfigurationError(
                "Expected images (num_channels, height, width) where the data loader 'tensor' has "
                f"augmentations, got 'x' of '{data_path}' as {type(x).__name__}."
            )
        self._tables: Optional[Dict[str, Table]] = None
        self._device = torch.device("cpu")
        self._batches: Optional[Iterator[TensorDict]] = None

    @property
    def independent_epochs(self) -> bool:
        """Whether the order of an epoch depends only on the random numbers of that epoch."""
        return self.batches_per_epoch is None

    def index_with(self, vocab: Vocabulary) -> None:
        """Index the instances with the vocabulary, and convert them to tensors."""
        for instance in self._instances:
            instance.index_fields(vocab)
        self._tables = {
            name: _table_of([instance.fields[name] for instance in self._instances])
            for name in self._instances[0].fields
        }

    def iter_instances(self) -> Iterator[Instance]:
        """Return the instances in the order of the data."""
        return iter(self._instances)

    def set_target_device(self, device: torch.device) -> None:
        """Set the device of the batches."""
        self._device = device
        for table in (self._tables or {}).values():
            table.to(device)

    def _sizes(self) -> List[int]:
        """Return the sizes of the batches of this worker; all workers have as many batches."""
        fewest, rest = divmod(len(self._instances), self._world)
        mine = fewest + (self._rank < rest)
        if self.drop_last:
            return [self.batch_size] * (fewest // self.batch_size)
        count = -(-(fewest + bool(rest)) // self.batch_size)
        if self._world == 1:
            return [min(self.batch_size, mine - i * self.batch_size) for i in range(count)]
        count = min(count, fewest)
        return [mine * (i + 1) // count - mine * i // count for i in range(count)]

    def __len__(self) -> int:
        return self.batches_per_epoch or len(self._sizes())

    def __iter__(self) -> Iterator[TensorDict]:
        if self._tables is None:
            raise ValueError(
                "Expected the data loader to be indexed with a vocabulary first; call index_with."
            )
        if self.batches_per_epoch is None:
            yield from self._epoch()
            return
        for _ in range(self.batches_per_epoch):
            batch = None if self._batches is None else next(self._batches, None)
            if batch is None:
                self._batches = self._epoch()
                batch = next(self._batches)
            yield batch

    def _epoch(self) -> Iterator[TensorDict]:
        assert self._tables is not None
        order = list(range(len(self._instances)))
        if self.shuffle:
            random.shuffle(order)
        rows = np.array(order[self._rank :: self._world])
        start = 0
        for size in self._sizes():
            chosen = rows[start : start + size]
            batch: TensorDict = {name: table.batch(chosen) for name, table in self._tables.items()}
            for augmentation in self.augmentations:
                batch = augmentation(batch)
            yield batch
            start += size


def _read(reader: DatasetReader, path: str, max_instances: Optional[int]) -> List[Instance]:
    # Every worker reads everything: the loader itself shares the instances out.
    info, limit = reader.get_distributed_info(), reader.max_instances
    reader._set_distributed_info(None)
    try:
        if max_instances is not None:
            reader.max_instances = min(max_instances, max_instances if limit is None else limit)
        instances = list(Tqdm.tqdm(reader.read(path), desc=f"reading {path}"))
    finally:
        reader._set_distributed_info(info)
        reader.max_instances = limit
    if not instances:
        raise ValueError(f"Expected instances in '{path}', got none.")
    for name, field in instances[0].fields.items():
        if not isinstance(field, (RowField, ImageField, TextField, TextsField)):
            raise ConfigurationError(
                "Expected a reader of rows (such as 'arff'), of texts with labels or of images for "
                f"the data loader 'tensor', got the field '{name}' of type {type(field).__name__}; "
                "use the data loader 'multiprocess'."
            )
    return instances


SMALL = 2**26
"""The size in bytes up to which rows are kept dense, so that a batch is a copy."""


class _Images:
    """The tensors of one field, all of one shape."""

    def __init__(self, fields: List[ImageField]) -> None:
        shapes = {tuple(field.tensor.shape) for field in fields}
        if len(shapes) > 1:
            raise ValueError(
                f"Expected images of one size for the data loader 'tensor', got the shapes "
                f"{sorted(shapes)[:2]}; set the reader's 'size', or use batches of one of the data "
                "loader 'multiprocess'."
            )
        self.tensor = torch.stack([field.tensor for field in fields])

    def to(self, device: torch.device) -> None:
        """Set the device of the batches."""
        self.tensor = self.tensor.to(device)

    def batch(self, rows: np.ndarray) -> torch.Tensor:
        """Return the tensors `(len(rows), ...)`."""
        return self.tensor[tensor_on(self.tensor.device, rows)]


class _Rows:
    """The rows of one field in compressed form: the columns that are not zero, row after row."""

    def __init__(self, fields: List[RowField]) -> None:
        places = [field.places() for field in fields]
        lengths = np.array([len(row) for row in places])
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.size = fields[0].size
        self.places = np.concatenate(places)
        self.values: Optional[np.ndarray] = None
        if fields[0].values is not None:
            self.values = np.concatenate([field.place_values() for field in fields])
        self.device = torch.device("cpu")
        self.dense: Optional[torch.Tensor] = None
        item = 1 if self.values is None else 4
        dense_size = len(fields) * self.size * item
        if 4 * len(self.places) * item > dense_size or dense_size <= SMALL:  # cheaper dense
            self.dense = torch.from_numpy(self._rows(np.arange(len(fields))))

    def to(self, device: torch.device) -> None:
        """Set the device of the batches."""
        self.device = device
        if self.dense is not None:
            self.dense = self.dense.to(device)

    def batch(self, rows: np.ndarray) -> torch.Tensor:
        """Return the rows `(len(rows), size)`, dense."""
        if self.dense is not None:
            return self.dense[tensor_on(self.device, rows)]
        return tensor_on(self.device, self._rows(rows))

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        starts, lengths = self.starts[rows], self.ends[rows] - self.starts[rows]
        shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        taken = shift + np.arange(len(shift))
        flat = np.repeat(np.arange(len(rows)) * self.size, lengths) + self.places[taken]
        dtype = bool if self.values is None else np.float32
        dense = np.zeros(len(rows) * self.size, dtype=dtype)
        dense[flat] = True if self.values is None else self.values[taken]
        return dense.reshape(len(rows), self.size)


Table = Union[_Images, _Rows, Texts]


def _table_of(fields: List[Any]) -> Table:
    if isinstance(fields[0], (TextField, TextsField)):
        return Texts(fields)
    return _Rows(fields) if isinstance(fields[0], RowField) else _Images(fields)
