"""Words of messages about configs."""

import difflib
from typing import Any, Iterable


def nearest(name: Any, choices: Iterable[Any]) -> str:
    """Return a question about the choice most similar to a name, '' if none is similar."""
    near = difflib.get_close_matches(str(name), map(str, choices), n=1)
    return f"did you mean '{near[0]}'?" if near else ""
