"""The base of the dataset readers."""

from abc import abstractmethod
from typing import Iterable, Iterator, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance


class Reader(DatasetReader):
    """A reader that yields at least one instance, or raises an error that says why not.

    Subclasses implement `instances`.

    # Parameters

    max_instances : `int`, optional
        How many instances to read at most.
    sharded : `bool`
        Whether `instances` is split among workers before AllenNLP sees it, as readers of text
        fields do it.

    # Raises

    `ConfigurationError` where `max_instances` is below 1.

    # Fields

    training_path : the data that the run trains on, if there is one. A reader that decides anything
        by data, such as categories, decides it by these, whatever is read first.
    """

    training_path: Optional[str] = None

    def __init__(self, max_instances: Optional[int] = None, sharded: bool = False) -> None:
        if max_instances is not None and max_instances < 1:
            raise ConfigurationError(
                "Expected max_instances of the dataset reader to be at least 1, got "
                f"{max_instances}; leave it out to read all instances."
            )
        super().__init__(
            max_instances=max_instances,
            manual_distributed_sharding=sharded,
            manual_multiprocess_sharding=sharded,
        )

    @abstractmethod
    def instances(self, path: str) -> Iterator[Instance]:
        """Yield the instances of a path, all of them, in the order of the data.

        # Raises

        `ValueError` for bad data, with file and line.
        """

    def _read(self, file_path: str) -> Iterable[Instance]:
        # The check comes before the split: a worker may have no instance of a small file.
        instances = self._at_least_one(str(file_path))
        # A loader that shares the instances out itself takes all, and leaves the reader no number.
        is_one_of_several = self.get_distributed_info() or self.get_worker_info()
        if self.manual_distributed_sharding and is_one_of_several:
            return self.shard_iterable(instances)
        return instances

    def _at_least_one(self, path: str) -> Iterator[Instance]:
        is_empty = True
        try:
            for instance in self.instances(path):
                is_empty = False
                yield instance
        except OSError as error:
            raise ValueError(
                f"{error.filename or path}: expected a file that can be read, got: "
                f"{error.strerror or error}."
            ) from None
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: expected text in UTF-8, got the bytes "
                f"{error.object[error.start : error.start + 20]!r}; save the file as UTF-8."
            ) from None
        if is_empty:
            raise ValueError(
                f"{path}: expected at least one instance, got none; check that the file is not "
                "empty and that its part, if one is named, has rows."
            )
