"""Training from Python."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides

from ..compatibility.checks import refuse_faults
from ..compatibility.failed_starts import DATA
from ..configs.methods import config_of
from ..data.registry import resolve
from ..reporting.run import SEEDS
from .run_data import StagedData
from .surroundings import restoring_surroundings
from .trained_model import TrainedModel, load

PathLike = Union[str, "os.PathLike[str]"]
# The task of data in memory, and of files whose reader is not in `TASKS`.
TASK = "multi_label"
TASKS = {
    "multi-label-text": "multi_label_text",
    "tagging-conll": "tagging",
    "dependency-conllu": "parsing",
    "segmentation-npy": "segmentation",
}


def train(
    method: Union[PathLike, Mapping[str, Any]],
    X: Any = None,
    Y: Any = None,
    *,
    out: PathLike,
    validation: Any = 0.1,
    test: Any = None,
    num_epochs: Optional[int] = None,
    seed: Optional[int] = None,
    settings: Optional[Mapping[str, Any]] = None,
    overrides: Optional[Mapping[str, Any]] = None,
    feature_names: Optional[Sequence[str]] = None,
    label_names: Optional[Sequence[str]] = None,
    recover: bool = False,
    overwrite: bool = False,
    verbose: bool = True,
) -> TrainedModel:
    """Train a model into a folder, as `allennlp train` does, and return it with its best weights.

    The folder holds all that the command writes, so that the commands, such as `allennlp report`,
    read it. Loggers and generators of random numbers are restored afterwards.

    # Parameters

    method : `str`, path or mapping
        The name of a method for X and Y, such as `'seal_dynamic_nce'` (`allennlp methods` lists
        them); or the path of a config, or a config.
    X, Y : optional
        The training data. X is an array `(num_instances, num_features)`, a scipy sparse matrix, a
        data frame or a list of dictionaries; Y has 0 or 1 for each instance and label, or is a list
        with the names of the labels of each instance. Or X is the path of a file that the reader of
        the `settings`, by default `table`, reads with its labels; the reader of texts, tags, trees
        or masks also chooses the task of the method. A config has its own data.
    out : path
        The folder of the run.
    validation : `float`, path or pair
        The proportion of the training data that is kept for validation, which chooses the epoch and
        the decoder, or the validation data: a path, or X and Y.
    test : path or pair, optional
        The data on which the best epoch is tested, for the metrics and the report: a path, or X and
        Y.
    num_epochs : `int`, optional
        The largest number of epochs.
    seed : `int`, optional
        The seed of the run.
    settings : `Mapping[str, Any]`, optional
        Settings of the method, such as `{'lr': 1e-3, 'hidden': [64]}`, and of the reader of a
        file, such as `{'reader': {'labels': ['churn'], 'ignore': ['id']}}`.
    overrides : `Mapping[str, Any]`, optional
        Values of the config by dotted key, such as `{'trainer.cuda_device': 0}`.
    feature_names, label_names : `Sequence[str]`, optional
        The names of the columns of X and Y; by default those of a data frame, or x0, … and y0, ….
    recover : `bool`
        Whether to resume the run of the folder, which was stopped.
    overwrite : `bool`
        Whether to delete what is in the folder.
    verbose : `bool`
        Whether to print the progress and the results, as the command does, and sentences about
        columns that look wrong, which the log of the run has anyway.

    # Raises

    `ConfigurationError` for a config that does not fit; `ValueError` for data that do not.

    # Examples

    >>> import numpy as np, structured_energy as se, tempfile
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = se.train(
    ...         "cross_entropy", X, X[:, :2] > 0, out=folder, num_epochs=2, verbose=False
    ...     )
    ...     model.predict(X).shape
    (60, 2)
    """
    folder = Path(out).resolve()
    if recover and overwrite:
        raise ConfigurationError("Expected recover or overwrite, got both.")
    if not (recover or overwrite) and folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            f"Expected an empty folder or a new one for the run, got '{out}', which is not "
            "empty; choose another one, or set recover=True or overwrite=True."
        )
    if isinstance(num_epochs, int) and num_epochs < 1:
        raise ConfigurationError(f"Expected num_epochs of at least 1, got {num_epochs}.")
    if isinstance(seed, int) and not 0 <= seed < 2**32:
        raise ConfigurationError(f"Expected a seed from 0 to 2**32 - 1, got {seed}.")
    with ExitStack() as stack:
        if X is None:
            given = {
                "Y": Y,
                "test": test,
                "settings": settings,
                "feature_names": feature_names,
                "label_names": label_names,
            }
            _refuse_of_config(given)
            config, staged = _read_config(method), None
        else:
            if not isinstance(method, str):
                raise ConfigurationError(
                    "Expected the name of a method for X and Y, got a config, which has its own "
                    "data."
                )
            staged = stack.enter_context(StagedData(folder / DATA, feature_names, label_names))
            table = {"reader": "table", **(settings or {})}
            if isinstance(table["reader"], Mapping):
                table["reader"] = {"type": "table", **table["reader"]}
            table.update(staged.table(X, Y, validation, settings or {}, test))
            config = config_of(_task_of(table["reader"]), method, table)
        changes: Dict[str, Any] = dict(overrides or {})
        if num_epochs is not None:
            changes["trainer.num_epochs"] = num_epochs
        if seed is not None:
            changes.update(dict.fromkeys(SEEDS, seed))
        config = with_overrides(config, changes)
        # Nothing is deleted or kept before all that can be checked is.
        refuse_faults(config)
        if overwrite and folder.exists():
            _refuse_data_inside(folder, config, staged)
            shutil.rmtree(folder)
        if staged is not None:
            staged.keep(recover)
    with restoring_surroundings(verbose):
        train_model(
            Params(config),
            str(folder),
            recover=recover,
            include_package=["structured_energy"],
            return_model=False,
        )
    return load(folder)


def _task_of(reader: Union[str, Mapping[str, Any]]) -> str:
    """Return the task whose methods take the data of a reader.

    >>> _task_of("tagging-conll"), _task_of({"type": "table"})
    ('tagging', 'multi_label')
    """
    return TASKS.get(reader if isinstance(reader, str) else reader["type"], TASK)


def _refuse_of_config(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            raise ConfigurationError(
                f"Expected {name} only with X and the name of a method, got it with a config."
            )


def _refuse_data_inside(folder: Path, config: Mapping[str, Any], staged: Any) -> None:
    """Raise `ConfigurationError` where a folder that is to be deleted has the data of the run."""
    written = () if staged is None else staged.written
    for name in ("train", "validation", "test"):
        path = config.get(f"{name}_data_path")
        if not isinstance(path, str) or "://" in path or name in written:
            continue
        for file in resolve(path).paths:
            if Path(file).resolve().is_relative_to(folder):
                raise ConfigurationError(
                    f"Expected data outside of the folder that overwrite=True deletes, got {file}; "
                    "choose another 'out', or move the data."
                )


def _read_config(method: Union[PathLike, Mapping[str, Any]]) -> Dict[str, Any]:
    if isinstance(method, Mapping):
        return dict(method)
    path = Path(method)
    if not path.suffix and not path.exists():
        raise ConfigurationError(
            f"Expected X and Y with the method '{method}', or the path of a config, got no X."
        )
    return Params.from_file(str(path)).as_dict(quiet=True)
