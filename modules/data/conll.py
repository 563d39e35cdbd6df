"""Files of columns: one token per line, blank lines between sentences."""

import re
from bisect import bisect_left
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

_WORD, _SPAN, _EMPTY = (
    re.compile(form) for form in (r"[0-9]+", r"[0-9]+-[0-9]+", r"[0-9]+\.[0-9]+")
)
# Python decodes a byte that is not UTF-8 to one of the second range.
_NOT_TEXT = re.compile("[\0\udc80-\udcff]")
_DOCUMENT = re.compile(r"-DOCSTART-(?![^ \t])")
# Of CoNLL-U: how many columns there are at least, and the numbers of some.
CONLLU_COLUMNS, FORM, UPOS, HEAD, RELATION, DEPS = 10, 1, 3, 6, 7, 8


class Sentence(NamedTuple):
    """The rows of a sentence, each with its columns and the number of its line.

    `others` are the lines that are no rows, comments, multi-word tokens and empty nodes, each with
    the number of rows before it.
    """

    file: str
    rows: List[List[str]]
    lines: List[int]
    others: Sequence[Tuple[int, str]] = ()

    def where(self, row: int) -> str:
        """Return the place of a row, for error messages."""
        return f"{self.file}, line {self.lines[row]}"

    def column(self, number: int) -> List[str]:
        """Return a column from top to bottom; a negative number counts from the right."""
        return [row[number] for row in self.rows]

    @property
    def has_tree(self) -> bool:
        """Whether a sentence of CoNLL-U has heads."""
        return any(head != "_" for head in self.column(HEAD))


def read_columns(
    file: str,
    separator: Optional[str] = None,
    comment: Optional[str] = None,
    keep_docstart: bool = False,
) -> Iterator[Sentence]:
    """Yield the sentences of a file in UTF-8.

    A line ends with CR LF, LF or CR. A line of spaces and tabs is blank. A byte order mark at the
    start of a line is ignored.

    # Parameters

    separator : `str`, optional
        Between columns; any number of spaces and tabs by default. Separators at the end of a line
        add no column.
    comment : `str`, optional
        The start of lines to ignore. There is no default: in tweets '#' starts tokens.
    keep_docstart : `bool`
        Whether lines whose first word is `-DOCSTART-` are tokens; by default they only end a
        sentence.

    # Raises

    `ValueError` for a file without sentences, a line with another number of columns than the first
    one of its sentence, an empty column, or bytes that are not text in UTF-8.
    """
    for sentence in _blocks(file, separator, comment, keep_docstart):
        yield _rectangular(sentence)


def read_conllu(file: str) -> Iterator[Sentence]:
    """Yield the syntactic words of each sentence of a CoNLL-U file, with any further columns.

    Lines of multi-word tokens (`1-2`) and of empty nodes (`8.1`) are no rows (Universal
    Dependencies, CoNLL-U format).

    # Raises

    `ValueError` for a line with fewer than 10 columns, or whose ID is not the next one, and as
    `read_columns`.
    """
    for sentence in _blocks(file, "\t", "#", keep_docstart=True):
        kept: List[int] = []
        left_out: List[Tuple[int, str]] = []
        for row, columns in enumerate(sentence.rows):
            if len(columns) < CONLLU_COLUMNS:
                raise ValueError(
                    f"{sentence.where(row)}: expected at least {CONLLU_COLUMNS} columns separated "
                    f"by tabs, as in CoNLL-U, got {len(columns)} in {_shown(columns)}."
                )
            if _SPAN.fullmatch(columns[0]) or _EMPTY.fullmatch(columns[0]):
                left_out.append((row, "\t".join(columns)))
                continue
            if not _WORD.fullmatch(columns[0]) or int(columns[0]) != len(kept) + 1:
                raise ValueError(
                    f"{sentence.where(row)}: expected the ID {len(kept) + 1}, got {columns[0]!r}."
                )
            kept.append(row)
        if kept:
            rows = [sentence.rows[row] for row in kept]
            lines = [sentence.lines[row] for row in kept]
            in_file = sorted([*sentence.others, *left_out], key=lambda other: other[0])
            others = [(bisect_left(kept, row), line) for row, line in in_file]
            yield _rectangular(Sentence(file, rows, lines, others), CONLLU_COLUMNS)


def _blocks(
    file: str, separator: Optional[str], comment: Optional[str], keep_docstart: bool
) -> Iterator[Sentence]:
    rows: List[List[str]] = []
    lines: List[int] = []
    others: List[Tuple[int, str]] = []
    number, is_empty = 0, True
    for number, line in enumerate(_lines(file), 1):
        columns = [] if _is_blank(line) else _split(line, separator)
        if columns and comment is not None and line.startswith(comment):
            others.append((len(rows), line))
            continue
        if not columns or (_DOCUMENT.match(line) and not keep_docstart):
            if rows:
                is_empty = False
                yield Sentence(file, rows, lines, others)
            rows, lines, others = [], [], []
        else:
            rows.append(columns)
            lines.append(number)
    if rows:
        yield Sentence(file, rows, lines, others)
    elif is_empty:
        raise ValueError(
            f"{file}: expected sentences, got none in {number} lines; the file is empty or has "
            "only comments and blank lines."
        )


def _lines(file: str) -> Iterator[str]:
    """Return the lines without their ends; CR LF, LF and CR are the ends, as `open` knows them."""
    with open(file, encoding="utf-8", errors="surrogateescape") as source:
        for number, line in enumerate(source, 1):
            found = _NOT_TEXT.search(line)
            if found is not None:
                start = line[found.start() :].encode("utf-8", "surrogateescape")[:20]
                raise ValueError(
                    f"{file}, line {number}: expected text in UTF-8, got the bytes {start!r}; save "
                    "the file as UTF-8."
                )
            yield line.removesuffix("\n").removeprefix("\ufeff")


def _is_blank(line: str) -> bool:
    return not line.strip(" \t")


def _split(line: str, separator: Optional[str]) -> List[str]:
    return re.split("[ \t]+", line) if separator is None else line.split(separator)


def _rectangular(sentence: Sentence, width: int = 1) -> Sentence:
    """Return the checked sentence, without separators at the ends of its lines; `width` is the
    least number of columns."""
    width = max(width, len(_trimmed(sentence.rows[0], width)))
    rows = [_trimmed(columns, width) for columns in sentence.rows]
    for row, columns in enumerate(rows):
        if "" in columns:
            raise ValueError(
                f"{sentence.where(row)}: expected no empty column, got column "
                f"{columns.index('') + 1} of {_shown(columns)} empty."
            )
        if len(columns) != width:
            raise ValueError(
                f"{sentence.where(row)}: expected {width} columns, as in the sentence's first "
                f"line, got {len(columns)} in {_shown(columns)}."
            )
    return sentence._replace(rows=rows)


def _trimmed(columns: List[str], width: int) -> List[str]:
    """Return the columns without empty ones at the end, but at least the first `width`."""
    end = len(columns)
    while end > width and columns[end - 1] == "":
        end -= 1
    return columns[:end]


def _shown(columns: List[str]) -> str:
    """Return the start of a line, with escapes for invisible characters."""
    return repr(" ".join(columns)[:60])
