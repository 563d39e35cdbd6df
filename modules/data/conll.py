"""Files of columns: a token a line, sentences apart by blank lines."""

import re
from typing import Iterator, List, NamedTuple, Optional

_WORD, _SPAN, _EMPTY = (re.compile(form) for form in (r"\d+", r"\d+-\d+", r"\d+\.\d+"))
CONLLU_COLUMNS = 10


class Sentence(NamedTuple):
    """The rows of a sentence, each with its columns and the number of its line."""

    file: str
    rows: List[List[str]]
    lines: List[int]

    def where(self, row: int) -> str:
        """The place of a row, for error messages."""
        return f"{self.file}, line {self.lines[row]}"

    def column(self, number: int) -> List[str]:
        """A column, top to bottom; a negative number counts from the right."""
        return [row[number] for row in self.rows]


def read_columns(
    file: str, separator: Optional[str] = None, comment: Optional[str] = None
) -> Iterator[Sentence]:
    """The sentences of a file in UTF-8.

    # Parameters

    separator : `str`, optional
        Between columns; any white space by default. At the end of a line it opens no column.
    comment : `str`, optional
        Lines that begin so are left out. There is no default: in tweets '#' begins tokens.

    # Raises

    `ValueError` for a line with another number of columns than the first one of its sentence, an
    empty column, or bytes that are no UTF-8.
    """
    return map(_checked, _blocks(file, separator, comment))


def read_conllu(file: str) -> Iterator[Sentence]:
    """The syntactic words of the sentences of a CoNLL-U file; further columns are kept.

    Lines of multi-word tokens (`1-2`) and of empty nodes (`8.1`) are left out, as the words that
    they stand for, or that are not in the text, are no words of their own (Universal Dependencies,
    CoNLL-U format).

    # Raises

    `ValueError` for a line with fewer than 10 columns, or whose ID is not the next one, and as
    `read_columns`.
    """
    for sentence in _blocks(file, "\t", "#"):
        kept: List[int] = []
        for row, columns in enumerate(sentence.rows):
            if len(columns) < CONLLU_COLUMNS:
                raise ValueError(
                    f"{sentence.where(row)}: expected at least {CONLLU_COLUMNS} columns apart by "
                    f"tabs, as CoNLL-U has them, got {len(columns)}."
                )
            if _SPAN.fullmatch(columns[0]) or _EMPTY.fullmatch(columns[0]):
                continue
            if not _WORD.fullmatch(columns[0]) or int(columns[0]) != len(kept) + 1:
                raise ValueError(
                    f"{sentence.where(row)}: expected the ID {len(kept) + 1}, got '{columns[0]}'."
                )
            kept.append(row)
        if kept:
            rows = [sentence.rows[row] for row in kept]
            yield _checked(Sentence(file, rows, [sentence.lines[row] for row in kept]))


def _blocks(file: str, separator: Optional[str], comment: Optional[str]) -> Iterator[Sentence]:
    rows: List[List[str]] = []
    lines: List[int] = []
    with open(file, "rb") as source:
        for number, raw in enumerate(source, 1):
            try:
                line = raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                raise ValueError(
                    f"{file}, line {number}: expected text in UTF-8, got the bytes {raw[:20]!r}; "
                    "save the file as UTF-8."
                ) from None
            if number == 1:
                line = line.removeprefix("\ufeff")
            if not line.strip():
                if rows:
                    yield Sentence(file, rows, lines)
                rows, lines = [], []
            elif comment is None or not line.startswith(comment):
                line = line if separator is None else line.rstrip(separator)
                rows.append(line.split(separator))
                lines.append(number)
    if rows:
        yield Sentence(file, rows, lines)


def _checked(sentence: Sentence) -> Sentence:
    width = len(sentence.rows[0])
    for row, columns in enumerate(sentence.rows):
        if len(columns) != width:
            raise ValueError(
                f"{sentence.where(row)}: expected {width} columns, as in the sentence's first "
                f"line, got {len(columns)} in '{' '.join(columns)[:60]}'."
            )
        if not all(columns):
            raise ValueError(
                f"{sentence.where(row)}: expected no empty column, got column "
                f"{columns.index('') + 1} of '{' '.join(columns)[:60]}' empty."
            )
    return sentence
