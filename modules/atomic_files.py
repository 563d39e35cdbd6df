"""Files that hold either their old content or their new one, even if the process is killed."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union


def write_atomically(path: Path, text: str) -> None:
    """Write a text file under a temporary name, then rename it."""
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


@contextmanager
def atomic_path(path: Union[str, Path]) -> Iterator[Path]:
    """Give a temporary path to write to inside the context, and rename it to `path` after it; an
    error removes it."""
    unfinished = Path(path).with_name(f"{Path(path).name}.unfinished")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
