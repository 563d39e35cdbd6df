"""Words of messages about configs."""

import collections.abc
import difflib
import json
from typing import Any, Iterable, Literal, Union

_NOUNS = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}


def nearest(name: Any, choices: Iterable[Any]) -> str:
    """Return a question about the choice most similar to a name, '' if none is similar."""
    near = difflib.get_close_matches(str(name), map(str, choices), n=1)
    return f"did you mean '{near[0]}'?" if near else ""


def noun(annotation: Any) -> str:
    """Return a type as words, such as 'a string or a list'.

    >>> from typing import List
    >>> noun(Union[str, List[str]]), noun(Literal["a", "b"])
    ('a string or a list', "'a' or 'b'")
    """
    origin = getattr(annotation, "__origin__", None)
    if origin is Union:
        return " or ".join(noun(each) for each in annotation.__args__ if each is not type(None))
    if origin is Literal:
        return " or ".join(repr(each) for each in annotation.__args__)
    if annotation in _NOUNS:
        return _NOUNS[annotation]
    if origin in (list, tuple, set, collections.abc.Iterable):
        return "a list"
    if origin in (dict, collections.abc.Mapping):
        return "a dictionary"
    return f"a {getattr(annotation, '__name__', annotation)}"


def shown(value: Any) -> str:
    """Return a value of a config as JSON, cut to 60 characters."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
