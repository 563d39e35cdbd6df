"""The header of an ARFF file: its relation and its attributes."""

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ..taxonomy import Taxonomy
from .arff_tokens import (
    QUOTED,
    GrammarError,
    is_plain,
    split_braces,
    split_cells,
    unquote,
    without_comment,
)

_DECLARATION = re.compile(r"@([a-z]+)(?![\w-])\s*(.*)", re.IGNORECASE | re.DOTALL)
# Mulan writes names such as TAG_m\'usica without quotes.
_NAME_AND_KIND = re.compile(rf"({QUOTED}|[^\s,{{}}%'\"][^\s,{{}}%]*+)\s*(.+)", re.DOTALL)
_NUMERIC = ("numeric", "real", "integer")
_HIERARCHICAL = "hierarchical"  # of Clus
_ON = ("1", "yes", "true")


class Attribute:
    """A column of the file and the numbers that stand for its values.

    A numeric attribute is one number. A nominal one with two values is 0 or 1 (1 for `1`, `yes`,
    `true`, otherwise for the second); one with more values is one number for each (`one-hot`).
    A hierarchical one, whose values are sets of terms, is the place of the set in `term_sets`.
    """

    def __init__(
        self, name: str, values: Optional[List[str]], taxonomy: Optional[Taxonomy] = None
    ) -> None:
        self.name = name
        self.values = values
        self.taxonomy = taxonomy
        self.term_sets: List[List[int]] = []
        self.one_hot = values is not None and len(values) > 2
        self.codes: Dict[str, int] = {}
        if values is not None:
            self.codes = {value: code for code, value in enumerate(values)}
        if values is not None and len(values) == 2 and values[0].lower() in _ON:
            self.codes = {values[0]: 1, values[1]: 0}

    @property
    def column_names(self) -> List[str]:
        """The names of the columns that the attribute becomes."""
        if not self.one_hot or self.values is None:
            return [self.name]
        return [f"{self.name}={value}" for value in self.values]

    def set_code(self, text: str) -> Optional[float]:
        """Return the number of a set of terms, `TERM@TERM`; `None` where a term is unknown."""
        code = self.codes.get(text)
        if code is None:
            assert self.taxonomy is not None
            places = [self.taxonomy.places.get(unquote(term.strip())) for term in text.split("@")]
            if None in places:
                return None
            code = self.codes[text] = len(self.term_sets)
            self.term_sets.append([place for place in places if place is not None])
        return float(code)

    @property
    def first(self) -> float:
        """The number of an attribute that a sparse row omits: 0, or the first nominal value."""
        return 0.0 if self.values is None else float(self.codes[self.values[0]])


class ArffHeader(NamedTuple):
    """The declarations before the rows."""

    relation: str
    attributes: List[Attribute]
    data_line: int


def read_header(path: str, lines: List[str]) -> ArffHeader:
    """Return the header of a file, of whose lines it reads those up to @data.

    # Raises

    `ValueError` for lines that are not ARFF, with file and line.
    """
    relation = ""
    attributes: List[Attribute] = []
    lines_of: Dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        line = without_comment(line)
        if not line:
            continue
        try:
            keyword, declared = _split_declaration(line)
            if keyword == "relation":
                relation = unquote(_checked_relation(declared))
            elif keyword == "attribute":
                attribute = _read_attribute(declared, f"{path}, line {number}")
                if attribute.name in lines_of:
                    raise GrammarError(
                        f"expected a new attribute, got '{attribute.name}', which line "
                        f"{lines_of[attribute.name]} has."
                    )
                lines_of[attribute.name] = number
                attributes.append(attribute)
            elif not attributes:
                raise GrammarError("expected attributes before @data.")
            else:
                return ArffHeader(relation, attributes, number)
        except GrammarError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    raise ValueError(f"{path}: expected a line @data, got the end of the file; it is truncated.")


def _split_declaration(line: str) -> Tuple[str, str]:
    match = _DECLARATION.fullmatch(line)
    keyword = "" if match is None else match[1].lower()
    if match is None or keyword not in ("relation", "attribute", "data"):
        raise GrammarError(f"expected @relation, @attribute or @data, got '{line[:40]}'.")
    if keyword == "data" and match[2]:
        raise GrammarError(f"expected nothing after @data, got '{match[2][:40]}'.")
    return keyword, match[2]


def _checked_relation(declared: str) -> str:
    if declared[:1] in ("'", '"') and re.fullmatch(QUOTED, declared, re.DOTALL) is None:
        raise GrammarError(f"expected '@relation NAME', got '@relation {declared[:40]}'.")
    return declared


def _read_attribute(declared: str, source: str) -> Attribute:
    match = _NAME_AND_KIND.fullmatch(declared)
    if match is None:
        raise GrammarError(
            "expected '@attribute NAME TYPE', with quotes around a name of several words, got "
            f"'@attribute {declared[:60]}'."
        )
    name, kind = unquote(match[1]), match[2]
    words = kind.split(None, 1)
    if words[0].lower() == _HIERARCHICAL:
        terms = [unquote(value) for value in split_cells(words[1])] if len(words) > 1 else []
        return Attribute(name, None, Taxonomy.from_values(terms, source))
    values: Optional[List[str]] = None
    if kind[0] == "{":
        inside, after = split_braces(kind, f"the values of '{name}'")
        values = [unquote(_checked_value(value, name)) for value in split_cells(inside)]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise GrammarError(f"expected different values of '{name}', got '{twice}' twice.")
    else:
        first, _, after = kind.replace("{", " {", 1).partition(" ")
        if first.split(None, 1)[0].lower() not in _NUMERIC:
            raise GrammarError(
                f"expected the attribute '{name}' to be numeric or nominal, got the type "
                f"'{kind.split(None, 1)[0][:40]}'; remove the attribute or encode it as numbers."
            )
    if after.strip():
        raise GrammarError(
            f"expected nothing after the type of '{name}', got '{after.strip()[:40]}' (a weight of "
            "an attribute is not supported)."
        )
    return Attribute(name, values)


def _checked_value(value: str, name: str) -> str:
    if value[:1] not in ("'", '"') and not is_plain(value):
        raise GrammarError(
            f"expected values of '{name}' separated by commas, with quotes around a value of "
            f"several words, got '{value[:40]}'."
        )
    return value
