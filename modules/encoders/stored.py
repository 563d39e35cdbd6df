"""Stores of encodings by the content of their input."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Dict, List, NamedTuple, Set, cast

import lmdb
import numpy as np

_LARGEST_MAP = 2**43  # bytes: 8 TiB, which the address space of a process has room for


class Batch(NamedTuple):
    """The instances of a batch, as a store sees them.

    # Fields

    keys : the hash of the content of each instance; padding does not change it.
    lengths : the number of vectors of each instance, `(batch,)`.
    width : the number of vectors of each instance with its padding.
    """

    keys: List[bytes]
    lengths: np.ndarray
    width: int


class Store(ABC):
    """The encodings of instances: for each content a number of vectors.

    # Parameters

    size : `int`
        The size of a vector.
    dtype : `np.dtype`
        The type of its numbers.
    limit : `int`
        The number of bytes of vectors after which no more are stored.
    """

    def __init__(self, size: int, dtype: np.dtype, limit: int) -> None:
        self.size = size
        self.dtype = dtype
        self.limit = limit
        self.num_bytes = 0

    @abstractmethod
    def absent(self, keys: List[bytes]) -> Set[bytes]:
        """Return the keys of contents that are not stored."""

    @abstractmethod
    def get(self, batch: Batch) -> np.ndarray:
        """Return the vectors `(batch, width, size)` of instances that are stored, with zeros in
        their padding."""

    @abstractmethod
    def _put(self, keys: List[bytes], vectors: List[np.ndarray]) -> bool:
        """Store vectors `(length, size)`, and return whether there was room for them."""

    def missing(self, batch: Batch) -> List[int]:
        """Return the places in the batch of contents that are not stored, each content once."""
        return sorted(batch.keys.index(key) for key in self.absent(batch.keys))

    def put(self, batch: Batch, places: List[int], vectors: np.ndarray) -> bool:
        """Store the `vectors` `(len(places), width, size)` of instances of the batch.

        Returns whether there was room for them.
        """
        lengths = batch.lengths[places].tolist()
        rows = [row[:length] for row, length in zip(vectors, lengths, strict=True)]
        self.num_bytes += sum(row.nbytes for row in rows)
        if self.num_bytes > self.limit:
            return False
        return self._put([batch.keys[place] for place in places], rows)


class MemoryStore(Store):
    """Encodings in memory: the vectors of all instances one after another in one array."""

    def __init__(self, size: int, dtype: np.dtype, limit: int) -> None:
        super().__init__(size, dtype, limit)
        self._starts: Dict[bytes, int] = {}
        self._vectors = np.zeros((0, size), dtype)
        self._count = 0

    def absent(self, keys: List[bytes]) -> Set[bytes]:
        return set(keys) - self._starts.keys()

    def get(self, batch: Batch) -> np.ndarray:
        starts = np.array([self._starts[key] for key in batch.keys])[:, None]
        offsets = np.arange(batch.width)
        if (batch.lengths == batch.width).all():
            return self._vectors[starts + offsets]
        real = offsets < batch.lengths[:, None]
        vectors = self._vectors[np.where(real, starts + offsets, 0)]
        vectors[~real] = 0
        return vectors

    def _put(self, keys: List[bytes], vectors: List[np.ndarray]) -> bool:
        end = self._count + sum(len(rows) for rows in vectors)
        if end > len(self._vectors):
            grown = np.zeros((max(end, 2 * len(self._vectors)), self.size), self.dtype)
            grown[: self._count] = self._vectors[: self._count]
            self._vectors = grown
        for key, rows in zip(keys, vectors, strict=True):
            self._starts[key] = self._count
            self._vectors[self._count : self._count + len(rows)] = rows
            self._count += len(rows)
        return True


class FileStore(Store):
    """Encodings in a memory-mapped file (LMDB), which later runs and other processes read.

    # Parameters

    folder : `Path`
        The folder of the file; it is created where it is missing.
    """

    def __init__(self, size: int, dtype: np.dtype, limit: int, folder: Path) -> None:
        super().__init__(size, dtype, limit)
        folder.mkdir(parents=True, exist_ok=True)
        # Pages of the file hold more than vectors; the map is an address range, not memory.
        map_size = min(2 * limit + 2**24, _LARGEST_MAP)
        self.limit = min(limit, map_size // 2)
        self._file = lmdb.open(str(folder), map_size=map_size, max_readers=1024)
        with self._file.begin(buffers=True) as transaction:
            self.num_bytes = sum(len(value) for _, value in transaction.cursor())

    def absent(self, keys: List[bytes]) -> Set[bytes]:
        with self._file.begin(buffers=True) as transaction:
            return {key for key in keys if transaction.get(key) is None}

    def get(self, batch: Batch) -> np.ndarray:
        vectors = np.zeros((len(batch.keys), batch.width, self.size), self.dtype)
        with self._file.begin(buffers=True) as transaction:
            for row, key, length in zip(vectors, batch.keys, batch.lengths.tolist(), strict=True):
                stored = np.frombuffer(cast(bytes, transaction.get(key)), self.dtype)
                row[:length] = stored.reshape(length, self.size)
        return vectors

    def _put(self, keys: List[bytes], vectors: List[np.ndarray]) -> bool:
        try:
            with self._file.begin(write=True) as transaction:
                for key, rows in zip(keys, vectors, strict=True):
                    transaction.put(key, np.ascontiguousarray(rows).tobytes())
        except lmdb.MapFullError:  # other processes write to the file too
            return False
        return True
