"""The words of an ARFF line: comments, quotes and escapes, separators."""

import re
from typing import List, Tuple

QUOTED = r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\""

_BEFORE_COMMENT = re.compile(rf"(?:[^'\"%]++|{QUOTED})*+")
_SEPARATOR = re.compile(r"[ \t]*,[ \t]*| *\t[ \t]*")
_CELL = re.compile(rf"({QUOTED}|[^,\t'\"]*+)(?:[ \t]*(,)[ \t]*| *(\t)[ \t]*|[ \t]*$)")
_ENTRY = re.compile(rf"\s*+([^\s,'\"]++)\s++({QUOTED}|[^,'\"]*+)\s*+(,|$)")
_BRACED = re.compile(rf"\{{((?:[^'\"{{}}]++|{QUOTED})*+)\}}\s*+")
_PLAIN = re.compile(r"[^\s,{}%'\"]+")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3]?[0-7]{1,2}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class GrammarError(Exception):
    """A line that is not ARFF; the message lacks the file and the line."""


def without_comment(line: str) -> str:
    """Return the line without surrounding spaces and without a comment.

    A comment begins at a `%` outside quotes.

    >>> without_comment("@attribute 'a % b' {0,1} % or {a,b}")
    "@attribute 'a % b' {0,1}"
    """
    if "%" in line:
        match = _BEFORE_COMMENT.match(line)
        if match is not None and line[match.end() : match.end() + 1] == "%":
            line = match[0]
    return line.strip()


def is_plain(text: str) -> bool:
    """Return whether a value can stand without quotes.

    >>> is_plain("light-green"), is_plain("light green"), is_plain("")
    (True, False, False)
    """
    return _PLAIN.fullmatch(text) is not None


def unquote(text: str) -> str:
    r"""Return the value that a word stands for, with the escapes of a quoted one resolved.

    >>> unquote(r"'it\'s'"), unquote("plain")
    ("it's", 'plain')

    # Raises

    `GrammarError` for an escape that is no character.
    """
    if text[:1] not in ("'", '"'):
        return text
    return _ESCAPE.sub(_character, text[1:-1])


def _character(match: "re.Match[str]") -> str:
    code = match[1]
    if code[0].isdecimal():
        return chr(int(code, 8))
    if len(code) == 1:
        return _ESCAPED.get(code, code)
    character = chr(int(code[1:], 16))
    if "\ud800" <= character <= "\udfff":
        raise GrammarError(f"expected an escape of a character, got '{match[0]}'.")
    return character


def split_cells(text: str) -> List[str]:
    """Return the words between commas or tabs, still quoted where they are.

    >>> split_cells("1, 'a, b',c")
    ['1', "'a, b'", 'c']

    # Raises

    `GrammarError` for a quote that is not closed, or inside a word.
    """
    if "'" not in text and '"' not in text:
        if "\t" in text:
            return _SEPARATOR.split(text.strip())
        return [cell.strip() for cell in text.split(",")]
    text = text.strip()
    cells: List[str] = []
    at, is_last = 0, False
    while not is_last:
        match = _CELL.match(text, at)
        if match is None:
            raise GrammarError(
                "expected quotes around a whole value, escaped by a backslash inside, got "
                f"'{text[at : at + 40]}'."
            )
        cells.append(match[1].rstrip())
        at, is_last = match.end(), match[2] is None and match[3] is None
    return cells


def split_entries(text: str) -> List[List[str]]:
    """Return the words of each entry of a sparse row that has quotes, still quoted: two, an index
    and a value, where the entry is right.

    >>> split_entries("0 1.5, 3 'a, b'")
    [['0', '1.5'], ['3', "'a, b'"]]

    # Raises

    `GrammarError` for a quote that is not closed, or inside a word.
    """
    text = text.strip()
    entries: List[List[str]] = []
    at, is_last = 0, False
    while not is_last:
        match = _ENTRY.match(text, at)
        if match is None:
            raise GrammarError(f"expected 'INDEX VALUE', got '{text[at : at + 40]}'.")
        is_quoted = match[2][:1] in ("'", '"')
        entries.append([match[1], match[2]] if is_quoted else [match[1], *match[2].split()])
        at, is_last = match.end(), not match[3]
    return entries


def split_braces(text: str, what: str) -> Tuple[str, str]:
    """Return the text between the braces at the start of `text`, and the text after them.

    >>> split_braces("{0, '}'} {5}", "values")
    ("0, '}'", '{5}')

    # Raises

    `GrammarError` for braces that are not closed.
    """
    inside = text[1:-1]
    if text[-1] == "}" and not any(mark in inside for mark in "{}'\""):
        return inside, ""
    match = _BRACED.match(text)
    if match is None:
        raise GrammarError(f"expected '}}' at the end of {what}, got '{text[:40]}'.")
    return match[1], text[match.end() :]
