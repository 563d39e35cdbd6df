"""Training on several nodes that share a folder.

The folder of a run belongs to the first node, whose first worker is the only one to write there. A
further node has a folder beside it, `NAME.node_1`, for its log and its vocabulary.
"""

import functools
import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator, List, Optional

from allennlp.commands import train
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import Trainer

from ..workers import is_first, rank

_train_model, _train_worker, _archive_model = (
    train.train_model,
    train._train_worker,
    train.archive_model,
)
_trainer_init = Trainer.__init__
# The folder of a further node that this process works for; None on the first node.
_NODE_FOLDER: ContextVar[Optional[str]] = ContextVar("node_folder", default=None)


@functools.wraps(_train_model)
def train_model(
    params: Params,
    serialization_dir: Any,
    recover: bool = False,
    force: bool = False,
    node_rank: int = 0,
    **settings: Any,
) -> Any:
    """Train as AllenNLP does; on a further node, with the folder of this node.

    # Raises

    `ConfigurationError` where `node_rank` is not below the number of nodes of the config.
    """
    if node_rank == 0:
        return _train_model(params, serialization_dir, recover, force, **settings)
    distributed = params.params.get("distributed") or {}
    if not node_rank < distributed.get("num_nodes", 1):
        raise ConfigurationError(
            f"Expected a --node-rank below the num_nodes of 'distributed' in the config, got "
            f"{node_rank} and {distributed.get('num_nodes', 1)}."
        )
    folder = f"{os.path.normpath(serialization_dir)}{_suffix(node_rank)}"
    with _on_further_node(folder):
        recover = recover and os.path.exists(folder)
        return _train_model(params, folder, recover, force, node_rank, **settings)


def train_worker(
    process_rank: int,
    params: Params,
    serialization_dir: Any,
    include_package: Optional[List[str]] = None,
    dry_run: bool = False,
    node_rank: int = 0,
    *arguments: Any,
    **settings: Any,
) -> Any:
    """Train as AllenNLP's worker does; on a further node, in the folder of the run.

    A spawned process imports this package to find this function, so the patches are applied before
    the process logs anything.
    """
    common = (include_package, dry_run, node_rank, *arguments)
    if node_rank == 0:
        return _train_worker(process_rank, params, serialization_dir, *common, **settings)
    run_folder = serialization_dir.removesuffix(_suffix(node_rank))
    with _on_further_node(serialization_dir):
        return _train_worker(process_rank, params, run_folder, *common, **settings)


@functools.wraps(_archive_model)
def archive_model(*arguments: Any, **settings: Any) -> None:
    """Archive the model, on the first node only."""
    if not is_further_node():
        _archive_model(*arguments, **settings)


@functools.wraps(_trainer_init)
def init_trainer(self: Trainer, *arguments: Any, **settings: Any) -> None:
    """Construct a trainer whose rank is over all nodes, so only one trainer is the primary one."""
    _trainer_init(self, *arguments, **settings)
    if self._distributed:
        self._rank, self._primary = rank(), is_first()


def is_further_node() -> bool:
    """Return whether this process works for another node than the first."""
    return _NODE_FOLDER.get() is not None


def log_folder(serialization_dir: Any) -> Any:
    """Return the folder for the log of this process.

    On a further node the folder of the run may not exist until all workers have met.
    """
    return _NODE_FOLDER.get() or serialization_dir


@contextmanager
def _on_further_node(folder: str) -> Iterator[None]:
    token = _NODE_FOLDER.set(folder)
    try:
        yield
    finally:
        _NODE_FOLDER.reset(token)


def _suffix(node_rank: int) -> str:
    return f".node_{node_rank}"
