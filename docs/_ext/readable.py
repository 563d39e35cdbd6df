"""Docstrings and annotations as Markdown."""

import collections.abc
import re
from typing import Any, Callable, List, Literal, Union, get_args, get_origin

from allennlp.common import Lazy


def escaped(text: str) -> str:
    """Escape the signs of Markdown outside of code, so that formulas such as y*_p stay unchanged.

    >>> print(escaped("s(x, y*_p) with `y_p`"))
    s(x, y\\*\\_p) with `y_p`
    """
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<\[\]])", r"\\\1", part) for part in parts
    )


def doctests_fenced(text: str) -> str:
    """Return a docstring as Markdown, with its examples as blocks of code and its formulas
    unchanged."""
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        if paragraph.startswith(">>>"):
            paragraphs.append(f"```pycon\n{paragraph}\n```")
        elif paragraph.startswith("**"):
            paragraphs.append(paragraph)
        elif paragraph.startswith("- "):
            paragraphs.append(escaped(paragraph))
        else:  # joined, since a line that starts with a number would start a list
            paragraphs.append(escaped(" ".join(paragraph.split())))
    return "\n\n".join(paragraphs)


def summary(text: str) -> str:
    """Return the first sentence.

    >>> summary("What it is (Lee et al. 2022).  More of it.")
    'What it is (Lee et al. 2022).'
    """
    line = " ".join(text.split("\n\n")[0].split())
    return escaped(re.split(r"(?<!et al\.)(?<=\.) ", line)[0].removesuffix(":"))


def either(words: List[str]) -> str:
    """Join words as in `a, b or c`."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def readable(annotation: Any, link: Callable[[type], str]) -> str:
    """Return a type as the value of a config; `link` returns the address of a class, or ''.

    >>> from typing import Dict, Optional
    >>> readable(Optional[Lazy[int]], lambda cls: "")
    '`int`, optional'
    >>> readable(Dict[str, List[float]], lambda cls: "#float" if cls is float else "")
    'dictionary from `str` to list of [`float`](#float)'
    >>> readable(Literal["a", "b", "c"], lambda cls: "")
    '`"a"`, `"b"` or `"c"`'
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return either([f'`"{value}"`' for value in arguments])
    inner = [readable(part, link) for part in arguments if part is not type(None)]
    if origin is Lazy:
        return inner[0]
    if origin is Union:
        return either(inner) + (", optional" if type(None) in arguments else "")
    if origin in (list, collections.abc.Sequence):
        return f"list of {inner[0]}"
    if origin is dict:
        return f"dictionary from {inner[0]} to {inner[1]}"
    if origin is tuple:
        return f"({', '.join(inner)})"
    if not isinstance(annotation, type):
        return f"`{annotation}`".replace("typing.", "")
    place = link(annotation)
    return f"[`{annotation.__name__}`]({place})" if place else f"`{annotation.__name__}`"
