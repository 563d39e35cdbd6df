"""The data on which a run is inspected, with the place of each instance."""

import sys
from pathlib import Path
from typing import Any, Iterator, List, Optional

from allennlp.common import Params
from allennlp.common.tqdm import Tqdm
from allennlp.data import Batch, DataLoader, DatasetReader, Instance, TensorDict, Vocabulary

from ..data import TableReader, TensorDataLoader

# Settings of data loaders that shape an epoch of training, or only its speed: here each instance is
# read once.
OF_TRAINING = (
    "shuffle",
    "augmentations",
    "batches_per_epoch",
    "drop_last",
    "max_instances_in_memory",
    "num_workers",
)


class RunData:
    """The batches of a data set, the same in each iteration.

    # Fields

    instances : in the order of the files.
    order : the places in `instances` of the instances of the batches.
    path : of the data.
    """

    def __init__(self, loader: DataLoader, vocab: Vocabulary, path: str) -> None:
        self.path = path
        self.instances: List[Instance] = list(loader.iter_instances())
        loader.index_with(vocab)
        self._vocab = vocab
        self._loader = loader
        places = range(len(self.instances))
        sampler = getattr(loader, "batch_sampler", None)
        if sampler is not None:
            self._batches = [list(batch) for batch in sampler.get_batch_indices(self.instances)]
        else:
            size = getattr(loader, "batch_size", None) or 32
            self._batches = [list(places[at : at + size]) for at in places[::size]]
        self.order = [place for batch in self._batches for place in batch]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[TensorDict]:
        if isinstance(self._loader, TensorDataLoader):
            yield from self._loader
            return
        for places in self._batches:
            batch = Batch([self.instances[place] for place in places])
            batch.index_instances(self._vocab)
            yield batch.as_tensor_dict()

    def with_progress(self, task: str) -> Iterator[TensorDict]:
        """Return the batches with a progress bar that shows the task."""
        on_terminal = sys.stderr.isatty()
        return Tqdm.tqdm(
            self,
            desc=task,
            total=len(self),
            file=sys.stderr,
            mininterval=0.1 if on_terminal else 10.0,
            leave=not on_terminal,
        )


def load_data(folder: Path, vocab: Vocabulary, path: Optional[str] = None) -> RunData:
    """Return the data of a run, by default its validation data.

    # Raises

    `ValueError` without a path, where the run has no validation data.
    """
    params = Params.from_file(str(folder / "config.json"))
    path = path or params.get("validation_data_path")
    if path is None:
        raise ValueError(
            "Expected a run with validation data, got one without 'validation_data_path'; name "
            "the data to use."
        )
    reader: Any = params.get("validation_dataset_reader") or params.get("dataset_reader")
    loader: Any = params.get("validation_data_loader") or params.get("data_loader")
    for key in OF_TRAINING:
        loader.pop(key, None)
    reader = DatasetReader.from_params(reader)
    if isinstance(reader, TableReader):
        reader = reader.for_model(vocab)  # with the columns and categories of the training data
    data_loader = DataLoader.from_params(loader, reader=reader, data_path=str(path))
    return RunData(data_loader, vocab, str(path))
