"""The registry of published data sets: `data://bibtex/train[:90%]?seed=1`.

A file is looked for in the folder that the environment variable `STRUCTURED_ENERGY_DATA` names (one
folder for each data set), then in the user's cache, then downloaded. Every file is used only if its
SHA-256 is the one registered here.
"""

import glob
import os
import random
import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import pooch
from allennlp.common.checks import ConfigurationError

from .published import DATA_SETS, DataSet

_SLICE = r"(?:\[(?P<start>\d{1,9})?%?:(?:(?P<stop>\d{1,9})%?)?\])?(?:\?seed=(?P<seed>\d{1,18}))?$"
_ADDRESS = re.compile(rf"data://(?P<name>[\w-]+)/(?P<split>[\w-]+){_SLICE}")
_PATH = re.compile(rf"(?P<path>.+?){_SLICE}", re.DOTALL)


class Data(NamedTuple):
    """Files, and the slice of their rows."""

    paths: List[str]
    start: int = 0
    stop: int = 100
    seed: int = 0

    def files(self) -> List[str]:
        """Return the files; a path that does not exist is a pattern, whose files are sorted.

        # Raises

        `ValueError` where there are none.
        """
        files = sorted(
            file
            for path in self.paths
            for file in ([path] if os.path.exists(path) else glob.glob(path))
        )
        if not files:
            raise ValueError(
                f"Expected files at '{', '.join(self.paths)}', got none; check train_data_path, "
                "validation_data_path and test_data_path."
            )
        return files

    def select(self, count: int) -> List[int]:
        """Return the rows among `count` that belong to the slice, in the order of the file.

        The rows are shuffled under the seed and cut, so that `[:90%]` and `[90%:]` part them.

        >>> Data([], 0, 60).select(5), Data([], 60, 100).select(5)
        ([0, 1, 2], [3, 4])
        """
        if (self.start, self.stop) == (0, 100):
            return list(range(count))
        rows = list(range(count))
        random.Random(self.seed).shuffle(rows)
        return sorted(rows[count * self.start // 100 : count * self.stop // 100])


def resolve(path: str) -> Data:
    """Return the files of a path and the slice of their rows.

    A path of the registry, a file and a pattern take the same slice; a path that exists is taken as
    it is, whatever its name.

    >>> resolve("my/data-train.arff[:90%]?seed=1")
    Data(paths=['my/data-train.arff'], start=0, stop=90, seed=1)

    # Raises

    `ConfigurationError` for an address that is not understood, `ValueError` for a file that cannot
    be had.
    """
    if not path.startswith("data://"):
        sliced = _PATH.match(path)
        if sliced is None or os.path.exists(path):
            return Data([path])
        return Data([sliced["path"]], *_slice(path, sliced))
    match = _ADDRESS.match(path)
    if match is None:
        raise ConfigurationError(
            "Expected a path like 'data://bibtex/train' or 'data://bibtex/train[:90%]?seed=0', "
            f"got '{path}'."
        )
    name, split = match["name"], match["split"]
    if name not in DATA_SETS:
        raise ConfigurationError(
            f"Expected a data set of the registry, one of {sorted(DATA_SETS)}, got '{name}' in "
            f"'{path}'."
        )
    data_set = DATA_SETS[name]
    if split not in data_set.files:
        raise ConfigurationError(
            f"Expected a split of {name}, one of {sorted(data_set.files)}, got '{split}' in "
            f"'{path}'."
        )
    percentages = _slice(path, match)
    for file in data_set.companions:
        fetch(name, data_set, file)
    files = [fetch(name, data_set, file) for file in data_set.files[split]]
    return Data(files, *percentages)


def _slice(path: str, match: "re.Match[str]") -> Tuple[int, int, int]:
    """Return the start, the stop and the seed of a path."""
    start, stop = int(match["start"] or 0), int(match["stop"] or 100)
    if not 0 <= start < stop <= 100:
        raise ConfigurationError(
            f"Expected percentages in order, such as [:90%] or [90%:], got '{path}'."
        )
    return start, stop, int(match["seed"] or 0)


def fetch(name: str, data_set: DataSet, file: str) -> str:
    """Return the local path of a file of a data set whose SHA-256 is right.

    # Raises

    `ValueError` where it cannot be had, or is not the published file.
    """
    digest = data_set.sha256[file]
    folder = os.environ.get("STRUCTURED_ENERGY_DATA")
    local = None if folder is None else Path(folder) / name / file
    if local is not None and local.exists():
        found = pooch.file_hash(str(local), alg="sha256")
        if found != digest:
            raise ValueError(
                f"{local}: expected the published file with SHA-256 {digest}, got {found}; remove "
                "it, so that it is downloaded again."
            )
        return str(local)
    cache = pooch.os_cache("structured_energy") / name
    source = data_set.url + (data_set.archive or file)
    try:
        if data_set.archive is not None:
            return _member(data_set, file, cache)
        return pooch.retrieve(source, f"sha256:{digest}", fname=file, path=cache, progressbar=False)
    except ValueError as error:
        raise ValueError(
            f"{source}: expected the published file with SHA-256 {digest}, got another: {error}"
        ) from None
    except Exception as error:
        where = f"in {local}" if local is not None else "in the folder STRUCTURED_ENERGY_DATA"
        raise ValueError(
            f"Expected {name}/{file} {where}, in the cache {cache} or at {source}; it "
            f"is in neither of the first, and the download failed: {_first_line(error)}"
        ) from None


def _member(data_set: DataSet, file: str, cache: Path) -> str:
    """Return the local path of a file of the archive of a data set.

    # Raises

    `ValueError` where it is not the published file; the archive is then downloaded again.
    """
    assert data_set.archive is not None
    unzip = pooch.Unzip([f"{Path(data_set.archive).stem}/{file}"])
    try:
        (path,) = pooch.retrieve(
            data_set.url + data_set.archive,
            None,
            fname=data_set.archive,
            path=cache,
            processor=unzip,
            progressbar=False,
        )
        found = pooch.file_hash(path, alg="sha256")
        if found != data_set.sha256[file]:
            Path(path).unlink()
            raise ValueError(f"its SHA-256 is {found}")
    except Exception:
        (cache / data_set.archive).unlink(missing_ok=True)
        raise
    return path


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def known_data_sets() -> Dict[str, DataSet]:
    """Return the registered data sets by name."""
    return dict(DATA_SETS)


def available(name: str, folder: Optional[str] = None) -> bool:
    """Return whether the files of a data set are in a folder (by default the one that
    `STRUCTURED_ENERGY_DATA` names)."""
    folder = folder or os.environ.get("STRUCTURED_ENERGY_DATA")
    files = DATA_SETS[name].sha256
    return folder is not None and all((Path(folder) / name / file).exists() for file in files)
