"""Training from Python."""

import os
import shutil
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides

from ..compatibility.recovery import DATA
from ..configs.methods import config_of
from ..data import write_table
from ..reporting.run import SEEDS
from .surroundings import restoring_surroundings
from .trained_model import TrainedModel, load

PathLike = Union[str, "os.PathLike[str]"]
TASK = "multi_label"  # that of data in memory
SPLIT = "[{}]?seed=0"


def train(
    method: Union[PathLike, Mapping[str, Any]],
    X: Any = None,
    Y: Any = None,
    *,
    out: PathLike,
    validation: Any = 0.1,
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
        the `settings`, by default `table`, reads with its labels. A config has its own data.
    out : path
        The folder of the run.
    validation : `float`, path or pair
        The proportion of the training data that is kept for validation, which chooses the epoch and
        the threshold, or the validation data: a path, or X and Y.
    num_epochs : `int`, optional
        The largest number of epochs.
    seed : `int`, optional
        The seed of the run.
    settings : `Mapping[str, Any]`, optional
        Settings of the method, such as `{'lr': 1e-3, 'hidden': [64]}`.
    overrides : `Mapping[str, Any]`, optional
        Values of the config by dotted key, such as `{'trainer.cuda_device': 0}`.
    feature_names, label_names : `Sequence[str]`, optional
        The names of the columns of X and Y; by default those of a data frame, or x0, … and y0, ….
    recover : `bool`
        Whether to resume the run of the folder, which was stopped.
    overwrite : `bool`
        Whether to delete what is in the folder.
    verbose : `bool`
        Whether to print the progress and the results, as the command does.

    # Raises

    `ConfigurationError` for a config that does not fit; `ValueError` for data that do not.

    # Examples

    >>> import numpy as np, structured_energy as se, tempfile
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = se.train(
    ...         "cross_entropy", X, X[:, :2] > 0, out=folder, num_epochs=2, settings={"hidden": [8]}
    ...     )
    ...     model.predict(X).shape
    (60, 2)
    """
    folder = Path(out)
    if recover and overwrite:
        raise ConfigurationError("Expected recover or overwrite, got both.")
    if overwrite and folder.exists():
        shutil.rmtree(folder)
    elif not recover and folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            f"Expected an empty folder or a new one for the run, got '{folder}', which is not "
            "empty; choose another one, or set recover=True or overwrite=True."
        )
    if X is None:
        given = {
            "Y": Y,
            "settings": settings,
            "feature_names": feature_names,
            "label_names": label_names,
        }
        for name, value in given.items():
            if value is not None:
                raise ConfigurationError(
                    f"Expected {name} only with X and the name of a method, got it with a config."
                )
        config = _read_config(method)
    else:
        if not isinstance(method, str):
            raise ConfigurationError(
                "Expected the name of a method for X and Y, got a config, which has its own data."
            )
        table: Dict[str, Any] = {"reader": "table", **(settings or {})}
        table.update(_write_data(folder / DATA, X, Y, validation, feature_names, label_names))
        config = config_of(TASK, method, table)
    changes: Dict[str, Any] = dict(overrides or {})
    if num_epochs is not None:
        changes["trainer.num_epochs"] = num_epochs
    if seed is not None:
        changes.update(dict.fromkeys(SEEDS, seed))
    with restoring_surroundings(verbose):
        train_model(
            Params(with_overrides(config, changes)),
            str(folder),
            recover=recover,
            include_package=["structured_energy"],
            return_model=False,
        )
    return load(folder)


def _read_config(method: Union[PathLike, Mapping[str, Any]]) -> Dict[str, Any]:
    if isinstance(method, Mapping):
        return dict(method)
    path = Path(method)
    if not path.suffix and not path.exists():
        raise ConfigurationError(
            f"Expected X and Y with the method '{method}', or the path of a config, got no X."
        )
    return Params.from_file(str(path)).as_dict(quiet=True)


def _write_data(
    folder: Path,
    X: Any,
    Y: Any,
    validation: Any,
    feature_names: Optional[Sequence[str]],
    label_names: Optional[Sequence[str]],
) -> Dict[str, Any]:
    """Return the part of a data set's table that names its data; values in memory are written to
    files of the folder."""

    def path_of(X: Any, Y: Any, name: str) -> str:
        if isinstance(X, (str, os.PathLike)):
            if Y is not None:
                raise ConfigurationError(
                    f"Expected no Y beside the file '{X}'; its reader reads the labels, see "
                    "settings={'reader': {'type': 'table', 'labels': ...}}."
                )
            return str(Path(X).resolve()) if "://" not in str(X) else str(X)
        if Y is None:
            raise ConfigurationError(f"Expected the labels Y of the {name} data, got none.")
        folder.mkdir(parents=True, exist_ok=True)
        return write_table(
            str((folder / name).resolve()),
            X,
            Y,
            feature_names=feature_names,
            label_names=label_names,
        )

    train_path = path_of(X, Y, "train")
    data: Dict[str, Any] = {}
    if isinstance(validation, (int, float)):
        if not 0 < validation < 1:
            raise ConfigurationError(
                f"Expected a proportion between 0 and 1 as validation, got {validation}."
            )
        kept = f"{100 - max(int(100 * validation), 1)}%"
        data["train"] = train_path + SPLIT.format(f":{kept}")
        data["validation"] = train_path + SPLIT.format(f"{kept}:")
    else:
        is_pair = isinstance(validation, tuple) and len(validation) == 2
        X, Y = validation if is_pair else (validation, None)
        data["train"], data["validation"] = train_path, path_of(X, Y, "validation")
    return data
