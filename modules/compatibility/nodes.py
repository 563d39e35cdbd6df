"""Training on several nodes, which share a folder."""

import functools
import os
from contextlib import contextmanager
from typing import Any, Iterator

from allennlp.commands import train
from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import Trainer

from ..workers import is_first, rank

_train_worker = train._train_worker


def mend_several_nodes() -> None:
    """The first worker of each node took itself for the first of all: it wrote checkpoints,
    metrics and an archive of its own, and a node refused the folder that another had made. The
    folder of a run is the first node's now, whose first worker alone writes there; a further node
    has a folder beside it, `NAME.node_1`, for its log and its vocabulary."""
    original_train, original_finish = train.train_model, TrainModel.finish
    original_init = Trainer.__init__

    @functools.wraps(original_train)
    def train_model(
        params: Params,
        serialization_dir: Any,
        recover: bool = False,
        force: bool = False,
        node_rank: int = 0,
        **settings: Any,
    ) -> Any:
        if node_rank == 0:
            return original_train(params, serialization_dir, recover, force, **settings)
        distributed = params.params.get("distributed") or {}
        if not node_rank < distributed.get("num_nodes", 1):
            raise ConfigurationError(
                f"Expected a --node-rank below the num_nodes of 'distributed' in the config, got "
                f"{node_rank} and {distributed.get('num_nodes', 1)}."
            )
        folder = os.path.normpath(serialization_dir)
        own = f"{folder}.node_{node_rank}"
        with _further_node(folder):
            return original_train(
                params, own, recover and os.path.exists(own), force, node_rank, **settings
            )

    def __init__(self: Trainer, *arguments: Any, **settings: Any) -> None:
        original_init(self, *arguments, **settings)
        if self._distributed:
            self._rank, self._primary = rank(), is_first()

    def finish(self: TrainModel, metrics: Any) -> None:
        if is_first():
            original_finish(self, metrics)

    train.train_model, TrainModel.finish, Trainer.__init__ = train_model, finish, __init__


@contextmanager
def _further_node(folder: str) -> Iterator[None]:
    """Inside, workers train in the run's folder, and what this node would archive is not."""
    archive_model = train.archive_model
    train._train_worker = functools.partial(_work_in, folder)
    train.archive_model = _archive_nothing
    try:
        yield
    finally:
        train._train_worker, train.archive_model = _train_worker, archive_model


def _work_in(folder: str, process_rank: int, params: Params, own: str, *rest: Any) -> None:
    """A worker of a further node, in a process of its own."""
    prepare = train.common_logging.prepare_global_logging
    # The run's folder may not be there yet; it is once all workers have met.
    train.common_logging.prepare_global_logging = lambda _, **settings: prepare(own, **settings)
    train.archive_model = _archive_nothing
    _train_worker(process_rank, params, folder, *rest)


def _archive_nothing(*arguments: Any, **settings: Any) -> None:
    """The first node archives."""
