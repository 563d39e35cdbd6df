"""Folders of runs that failed before their first epoch ended, which a new run takes over."""

import fcntl
import os
import re
import shutil
from pathlib import Path
from typing import List

from allennlp.common import Params
from allennlp.models.archival import CONFIG_NAME, META_NAME

DATA = "data"  # the folder of a run's own data, such as those that Python gave in memory
# The folders that are written before an epoch ends, with patterns of their files.
_FOLDERS = {"log": r".*tfevents.*", "vocabulary": r".*\.txt|\.lock"}
_FILES = re.compile(rf"{CONFIG_NAME}|{META_NAME}|(out|err)(_worker\d+)?\.log")
_claims: List[int] = []  # at most one open folder, whose lock ends with this process


def claim(folder: Path) -> bool:
    """Lock a folder for the training of this process, and return whether no other one has it.

    The lock leaves no file, and ends with the process. File systems without locks have none.
    """
    while _claims:
        os.close(_claims.pop())
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except OSError:
        pass
    _claims.append(descriptor)
    return True


def take_over(folder: Path, params: Params) -> bool:
    """Remove the files of a failed start, except for its data, and return whether there was one.

    A folder is that of a failed start if it has no other files, no process trains in it, and the
    config does not read what would be removed.
    """
    if not folder.is_dir():
        return False
    paths = list(folder.iterdir())
    if not {CONFIG_NAME, META_NAME} <= {path.name for path in paths}:
        return False
    if not all(map(_is_of_start, paths)) or _reads(params, folder) or not claim(folder):
        return False
    for path in paths:
        if path.name in _FOLDERS:
            shutil.rmtree(path)
        elif path.name != DATA:
            path.unlink()
    return True


def _is_of_start(path: Path) -> bool:
    if path.is_symlink():
        return False
    if path.is_dir():
        pattern = _FOLDERS.get(path.name, "")
        inside = (each for each in path.rglob("*") if not each.is_dir())
        return path.name == DATA or all(re.fullmatch(pattern, each.name) for each in inside)
    return _FILES.fullmatch(path.name) is not None


def _reads(params: Params, folder: Path) -> bool:
    removed = tuple(f"{(folder / name).absolute()}{os.sep}" for name in _FOLDERS)
    values = [value for value in params.as_flat_dict().values() if isinstance(value, str)]
    return any(f"{os.path.abspath(value)}{os.sep}".startswith(removed) for value in values)
