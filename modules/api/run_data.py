"""The data of a run that come from memory."""

import filecmp
import glob
import os
import shutil
import tempfile
from numbers import Real
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from allennlp.common.checks import ConfigurationError

from ..data.registry import resolve
from ..data.tables import MISSING, CellSettings, ColumnSettings, RawTable, table_of
from ..data.tables.columns import check_columns
from ..data.tables.records import FEATURES
from ..data.tables.write import write_rows

SPLIT = "[{}]?seed=0"


class StagedData:
    """Values in memory as files beside the folder of a run, into which `keep` moves them.

    On exit, the context removes the files that were not kept.

    # Parameters

    folder : `Path`
        The folder of the data of the run.
    feature_names, label_names : `Sequence[str]`, optional
        See `train`.

    # Fields

    files : the files that the folder will have.
    written : `train`, `validation` and `test`, as far as files of the folder have them.
    """

    def __init__(
        self,
        folder: Path,
        feature_names: Optional[Sequence[str]] = None,
        label_names: Optional[Sequence[str]] = None,
    ) -> None:
        self.folder = folder
        self.names = {"feature_names": feature_names, "label_names": label_names}
        self.files: List[Path] = []
        self.written: Set[str] = set()

    def __enter__(self) -> "StagedData":
        above = self.folder.parent.parent
        above.mkdir(parents=True, exist_ok=True)
        prefix = f".{self.folder.parent.name}-"
        self._staging = tempfile.TemporaryDirectory(prefix=prefix, dir=above)
        return self

    def __exit__(self, *error: Any) -> None:
        self._staging.cleanup()

    def table(
        self, X: Any, Y: Any, validation: Any, settings: Mapping[str, Any], test: Any = None
    ) -> Dict[str, str]:
        """Write the data, and return the keys `train`, `validation` and, where there are such data,
        `test` of a data set's table.

        # Raises

        `ConfigurationError` for data that are named twice, `ValueError` for bad data.
        """
        for key in ("train", "validation", *(["test"] if test is not None else [])):
            if key in settings:
                raise ConfigurationError(
                    f"Expected the data as X, Y, validation and test, got '{key}' in the settings "
                    "as well; leave it out."
                )
        train = self._path_of(X, Y, "train", settings.get("reader"))
        tested = {} if test is None else {"test": self._path_of_other(test, Y, "test")}
        if isinstance(validation, Real):
            if not 0 < float(validation) < 1:
                raise ConfigurationError(
                    f"Expected a proportion between 0 and 1 as validation, got {validation}."
                )
            if self.files:
                self.written.add("validation")
            kept = f"{100 - min(max(int(100 * float(validation) + 0.5), 1), 99)}%"
            return {
                "train": train + SPLIT.format(f":{kept}"),
                "validation": train + SPLIT.format(f"{kept}:"),
                **tested,
            }
        validated = self._path_of_other(validation, Y, "validation")
        return {"train": train, "validation": validated, **tested}

    def _path_of_other(self, data: Any, Y: Any, name: str) -> str:
        """Return the path of data beside those to train on, whose labels are Y."""
        is_pair = isinstance(data, tuple) and len(data) == 2
        X, labels = data if is_pair else (data, None)
        if hasattr(Y, "columns") and hasattr(labels, "columns"):
            check_label_columns(labels, [str(name) for name in Y.columns])
        return self._path_of(X, labels, name)

    def _path_of(self, X: Any, Y: Any, name: str, reader: Any = None) -> str:
        if isinstance(X, (str, os.PathLike)):
            if Y is not None:
                raise ConfigurationError(
                    f"Expected no Y beside the file '{X}'; its reader reads the labels, see "
                    "settings={'reader': {'type': 'table', 'labels': ...}}."
                )
            for key, value in self.names.items():
                if value is not None and name == "train":
                    raise ConfigurationError(
                        f"Expected no {key} beside the file '{X}', which has names of its own."
                    )
            if "://" in str(X):
                return str(X)
            check_file(X)
            return str(Path(X).resolve())
        if Y is None:
            raise ConfigurationError(f"Expected the labels Y of the {name} data, got none.")
        check_features(X, Y, **self.names)
        table = table_of(X, Y, **self.names)
        if name == "train" and isinstance(table, RawTable):
            check_columns(table, _columns_of(reader))  # the reader would name the written file
        path = Path(write_rows(Path(self._staging.name) / self.folder.name / name, table, X, Y))
        self.files.append(self.folder / path.name)
        self.written.add(name)
        return str(self.files[-1])

    def keep(self, recover: bool) -> None:
        """Move the files into the folder of the run.

        # Raises

        `ConfigurationError` where a run to recover has other data.
        """
        for file in self.files:
            staged = Path(self._staging.name) / self.folder.name / file.name
            if file.exists() and recover:
                if not filecmp.cmp(staged, file, shallow=False):
                    raise ConfigurationError(
                        f"Expected the data of the run to recover, {file}, got others; train into "
                        "another folder, or set overwrite=True."
                    )
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(str(staged), str(file))


def _columns_of(reader: Any) -> ColumnSettings:
    """Return the settings of columns of the config of a reader."""
    settings = reader if isinstance(reader, Mapping) else {}
    ignore, categorical, missing = (
        value if isinstance(value := settings.get(key), (list, tuple)) else default
        for key, default in (("ignore", ()), ("categorical", ()), ("missing_values", MISSING))
    )
    cells = CellSettings(frozenset(["", *missing]))
    return ColumnSettings(categorical=categorical, cells=cells, ignore=ignore)


def check_file(path: Any, hint: str = "") -> None:
    """Raise `ValueError` for a path of this machine, or a pattern, that no file has."""
    if "://" not in str(path) and not any(
        os.path.exists(file) or glob.glob(file) for file in resolve(str(path)).paths
    ):
        raise ValueError(f"Expected a file at '{path}', got none{hint}.")


def check_features(
    X: Any,
    Y: Any,
    feature_names: Optional[Sequence[str]] = None,
    label_names: Optional[Sequence[str]] = None,
) -> None:
    """Raise `ValueError` for a column of labels that is a feature as well."""
    labels = getattr(Y, "columns", ()) if label_names is None else label_names
    features: Any = feature_names
    if features is None and isinstance(X, (list, tuple)):
        rows = [row.get(FEATURES, row) for row in X if isinstance(row, dict)]
        features = [name for row in rows if isinstance(row, dict) for name in row]
    elif features is None:
        features = getattr(X, "columns", ())
    names = {str(name) for name in features}
    both = [f"'{name}'" for name in map(str, labels) if name in names]
    if both:
        columns = f"column {both[0]}" if len(both) == 1 else f"columns {', '.join(both[:5])}"
        raise ValueError(
            f"Expected features without the labels, got the {columns}{' …' * (len(both) > 5)} in X "
            f"and Y; drop {'it' if len(both) == 1 else 'them'} from X."
        )


def check_label_columns(Y: Any, labels: Sequence[str]) -> None:
    """Raise `ValueError` for a data frame of labels that has not a column for each label."""
    found = [str(name) for name in Y.columns]
    absent = [name for name in labels if name not in found]
    further = [name for name in found if name not in labels]
    if absent or further:
        got = f"no column '{absent[0]}'" if absent else f"the column '{further[0]}' as well"
        raise ValueError(
            f"Expected a column of Y for each of the {len(labels)} labels of the training data, "
            f"got {got}."
        )
