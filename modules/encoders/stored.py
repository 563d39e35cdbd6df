"""Stores of encodings by the content of their input."""

import os
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Set

import lmdb
import numpy as np

_INDEX_SIZE = 2**34  # bytes of address space, not of memory or disk: about 10^8 instances
_END = b"end"  # the key of the number of vectors in a file; the others are hashes of 16 bytes


class Batch(NamedTuple):
    """The instances of a batch, as a store sees them.

    # Fields

    keys : the hash of the content of each instance; padding does not change it.
    width : the number of vectors of each instance with its padding.
    lengths : the number of vectors of each instance up to the last real one, `(batch,)`; `None` if
        no instance has padding.
    """

    keys: List[bytes]
    width: int
    lengths: Optional[np.ndarray] = None


class Store(ABC):
    """The encodings of instances: for each content a number of vectors, all of them one after
    another in one array, so that one indexing reads a batch.

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
        self._starts: Dict[bytes, int] = {}
        self._vectors = np.zeros((0, size), dtype)

    @property
    def num_bytes(self) -> int:
        """The bytes of the stored vectors and of their places by content."""
        places = sum(map(sys.getsizeof, (*self._starts, *self._starts.values())))
        vectors = self.num_vectors * self.size * self.dtype.itemsize
        return vectors + sys.getsizeof(self._starts) + places

    @property
    def num_vectors(self) -> int:
        """The number of the stored vectors."""
        return len(self._vectors)

    def absent(self, keys: List[bytes]) -> Set[bytes]:
        """Return the keys of contents that are not stored."""
        return set(keys) - self._starts.keys()

    @abstractmethod
    def _append(self, keys: List[bytes], vectors: List[np.ndarray]) -> bool:
        """Store vectors `(length, size)`, and return whether there was room for them."""

    def missing(self, batch: Batch) -> List[int]:
        """Return the places in the batch of contents that are not stored, each content once."""
        return sorted(batch.keys.index(key) for key in self.absent(batch.keys))

    def get(self, batch: Batch) -> Optional[np.ndarray]:
        """Return the vectors `(batch, width, size)` of the instances, with zeros in their padding;
        `None` where the place of one is not known, until `missing` finds none."""
        known = [self._starts.get(key) for key in batch.keys]
        if None in known:
            return None
        starts = np.array(known)[:, None]
        offsets = np.arange(batch.width)
        if batch.lengths is None:
            return self._vectors[starts + offsets]
        real = offsets < batch.lengths[:, None]
        vectors = self._vectors[np.where(real, starts + offsets, 0)]
        vectors[~real] = 0
        return vectors

    def put(self, batch: Batch, places: List[int], vectors: np.ndarray) -> bool:
        """Store the `vectors` `(len(places), width, size)` of instances of the batch.

        Returns whether there was room for them.
        """
        rows = list(vectors)
        if batch.lengths is not None:
            lengths = batch.lengths[places].tolist()
            rows = [row[:length] for row, length in zip(vectors, lengths, strict=True)]
        return self._append([batch.keys[place] for place in places], rows)

    def _has_room(self, num_vectors: int) -> bool:
        return num_vectors * self.size * self.dtype.itemsize <= self.limit


class MemoryStore(Store):
    """Encodings in memory."""

    def __init__(self, size: int, dtype: np.dtype, limit: int) -> None:
        super().__init__(size, dtype, limit)
        self._count = 0

    @property
    def num_vectors(self) -> int:
        # The rest of the array, into which it grows, is no memory before it is written to.
        return self._count

    def _append(self, keys: List[bytes], vectors: List[np.ndarray]) -> bool:
        end = self._count + sum(len(rows) for rows in vectors)
        if not self._has_room(end):
            return False
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
    """Encodings in a memory-mapped file, which later runs and other processes read and extend.

    `vectors` holds the numbers, and `index`, an LMDB database, the place of each content. Vectors
    are on disk before the index names them, and one process at a time writes.

    # Parameters

    folder : `Path`
        The folder of the files; it is created where it is missing.
    """

    def __init__(self, size: int, dtype: np.dtype, limit: int, folder: Path) -> None:
        super().__init__(size, dtype, limit)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "vectors"
        self._index = lmdb.open(str(folder / "index"), map_size=_INDEX_SIZE, max_readers=1024)
        with self._index.begin(write=True) as transaction:
            self._path.touch()
            if self._num_vectors_in_file() < _number(transaction.get(_END)):
                # The file was deleted or cut; an index of it is worthless.
                transaction.drop(self._index.open_db(txn=transaction), delete=False)

    def absent(self, keys: List[bytes]) -> Set[bytes]:
        unknown = super().absent(keys)
        if not unknown:
            return unknown
        with self._index.begin() as transaction:
            places = {key: transaction.get(key) for key in unknown}
        self._add({key: _number(place) for key, place in places.items() if place is not None})
        return super().absent(keys)

    def _append(self, keys: List[bytes], vectors: List[np.ndarray]) -> bool:
        lengths = [len(rows) for rows in vectors]
        with self._index.begin(write=True) as transaction:
            end = _number(transaction.get(_END))  # other processes write to the file too
            if not self._has_room(end + sum(lengths)):
                return False
            with self._path.open("r+b") as file:
                file.seek(end * self.size * self.dtype.itemsize)
                file.write(np.concatenate(vectors).astype(self.dtype, copy=False).tobytes())
                file.flush()
                os.fsync(file.fileno())
            starts = (end + np.cumsum([0, *lengths])).tolist()
            for key, start in zip([*keys, _END], starts, strict=True):
                transaction.put(key, start.to_bytes(8, "little"))
        self._add(dict(zip(keys, starts[:-1], strict=True)))
        return True

    def _add(self, starts: Dict[bytes, int]) -> None:
        """Know the places of these contents, and map the file up to its present end."""
        if starts:
            shape = (self._num_vectors_in_file(), self.size)
            self._vectors = np.asarray(np.memmap(self._path, self.dtype, "r", shape=shape))
            self._starts.update(starts)

    def _num_vectors_in_file(self) -> int:
        return self._path.stat().st_size // (self.size * self.dtype.itemsize)


def _number(value: Optional[bytes]) -> int:
    return int.from_bytes(value or b"", "little")
