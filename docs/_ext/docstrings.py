"""Docstrings of this package, which are Markdown, for autodoc, which expects reStructuredText."""

import re
from typing import Any, Dict, Iterator, List

from sphinx.application import Sphinx


def _escaped(text: str) -> str:
    """Escape the signs of reStructuredText outside of code, and mark code as literal.

    >>> print(_escaped("p(y | x) of y*_p, as in `y_p`"))
    p(y \\| x) of y\\*\\_p, as in ``y_p``
    """
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        f"`{part}`" if part.startswith("`") else re.sub(r"([*_|\\])", r"\\\1", part)
        for part in parts
    )


def _definitions(lines: List[str], typed: bool) -> Iterator[str]:
    """Yield a field for each `name : type` of a section, or `name : text` if it is not typed, with
    the indented text below it.

    >>> print("\\n".join(_definitions(["x, y : `int`, optional", "    The numbers."], typed=True)))
    :type x,y: ``int``, optional
    :param x,y:
        The numbers.
    """
    for line in lines:
        if line.startswith(" "):
            yield f"    {_escaped(line.strip())}"
        elif line.strip():
            names, colon, kind = line.partition(" : ")
            field = names.strip().replace(", ", ",")  # at a space Sphinx would split a type off
            if colon and typed:
                yield f":type {field}: {_escaped(kind.strip())}"
            yield f":param {field}:"
            if colon and not typed:
                yield f"    {_escaped(kind.strip())}"


def to_rst(lines: List[str]) -> List[str]:
    """Return the lines of a docstring as reStructuredText.

    >>> print("\\n".join(to_rst(["Return y.", "", "# Raises", "", "`ValueError` for no y."])))
    Return y.
    <BLANKLINE>
    **Raises**
    <BLANKLINE>
    ``ValueError`` for no y.
    <BLANKLINE>
    """
    sections = re.split(r"^# (.+)\n", "\n".join(lines) + "\n", flags=re.MULTILINE)
    result = list(_paragraphs(sections[0]))
    for heading, text in zip(sections[1::2], sections[2::2], strict=True):
        if heading.startswith(("Parameters", "Fields")):
            typed = heading.startswith("Parameters")
            result += [*_definitions(text.strip("\n").split("\n"), typed), ""]
        else:
            result += [f"**{heading}**", "", *_paragraphs(text)]
    return result


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        is_code = lines[0].startswith((">>>", "    "))
        if is_code and not lines[0].startswith(">>>"):
            yield from ("::", "")
        yield from lines if is_code else [_escaped(line) for line in lines]
        yield ""


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: List[str]) -> None:
    lines[:] = to_rst(list(lines))


def setup(app: Sphinx) -> Dict[str, Any]:
    """Register the conversion."""
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}
