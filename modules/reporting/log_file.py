"""The log of a run."""

import re
from pathlib import Path
from typing import List

LOG = "out.log"
_PACKAGE = __name__.partition(".")[0]
_WARNING = re.compile(rf"\S+ \S+ - WARNING - {_PACKAGE}\.[\w.]+ - (?P<sentence>.+)")


def read_warnings(folder: Path) -> List[str]:
    """Return the warnings of this package in the log of a run, each once, in their order.

    They name, for instance, columns of the training data that look wrong.
    """
    path = folder / LOG
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as lines:
        found = (match["sentence"] for line in lines if (match := _WARNING.match(line)))
        return list(dict.fromkeys(found))
