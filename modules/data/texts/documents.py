"""Documents as tables: a row for each document, a column for each part of it."""

import html
import re
from typing import Any, Dict, List, Optional, Sequence

from ..tables import FORMATS as TABLES
from ..tables import RawTable, TextSettings, read_table, read_text

FORMATS = ("csv", "tsv", "jsonl", "parquet", "bgc", "rcv1")

_BOOK = re.compile(r"<(?P<end>/?)book\b[^>]*>")
_LEVEL = re.compile(r"<(?P<level>d\d+)>(?P<topic>[^<]*)</(?P=level)>")
_ID = re.compile(r"\.I\s+(?P<id>\S+)\s*$")


def read_documents(
    path: str, format: Optional[str], settings: TextSettings, columns: Optional[Sequence[str]]
) -> RawTable:
    """Return the documents of a file.

    The format `bgc` is the markup of the Blurb Genre Collection (Aly et al. 2019), with the columns
    `title`, `body`, `topics` (by level) and `id`; `rcv1` are the tokens of RCV1-v2 (Lewis et al.
    2004), with the columns `id` and `text`.

    # Parameters

    columns : `Sequence[str]`, optional
        The names of the columns of CSV and TSV without a header.

    # Raises

    `ValueError` for a bad file, with file and line; `ConfigurationError` for a format that is not
    known.
    """
    if format == "bgc":
        return _books(path, read_text(path, settings.encoding))
    if format == "rcv1":
        return _token_files(path, read_text(path, settings.encoding))
    kind = format if format in TABLES else None
    table = read_table(path, kind, settings._replace(header=settings.header and columns is None))
    if not isinstance(table, RawTable):
        raise ValueError(
            f"{path}: expected a file of texts, got matrices of features; save the texts as JSON "
            "lines, CSV or TSV."
        )
    if columns is None:
        return table
    if len(columns) != len(table.columns):
        raise ValueError(
            f"{path}, line {table.lines[0]}: expected {len(columns)} columns, as in 'columns' of "
            f"the dataset reader, got {len(table.columns)}; check 'columns' and 'separator'."
        )
    cells = table.columns.values()
    return table._replace(columns=dict(zip(columns, cells, strict=True)))


def _books(path: str, text: str) -> RawTable:
    """Return the documents of the markup of BGC, which is no XML: `&` stands for itself."""
    columns: Dict[str, List[Any]] = {"id": [], "title": [], "body": [], "topics": []}
    lines: List[int] = []
    start: Optional["re.Match[str]"] = None
    line, seen = 1, 0
    for tag in _BOOK.finditer(text):
        line, seen = line + text.count("\n", seen, tag.start()), tag.start()
        if bool(tag["end"]) == (start is None):
            expected, found = ("<book>", "</book>") if start is None else ("</book>", "<book>")
            raise ValueError(f"{path}, line {line}: expected {expected}, got {found}.")
        if start is None:
            start = tag
            lines.append(line)
            continue
        book = text[start.end() : tag.start()]
        topics: Dict[str, List[str]] = {}
        for match in _LEVEL.finditer(book):
            topics.setdefault(match["level"], []).append(html.unescape(match["topic"]).strip())
        for name in ("title", "body"):
            columns[name].append(_element(book, name, f"{path}, line {lines[-1]}"))
        columns["id"].append(str(len(lines)))
        columns["topics"].append(topics)
        start = None
    if start is not None:
        raise ValueError(f"{path}, line {lines[-1]}: expected </book>, got the end of the file.")
    if not lines:
        raise ValueError(f"{path}: expected elements <book>, got none.")
    return RawTable(path, columns, lines, typed=True)


def _element(book: str, name: str, where: str) -> str:
    match = re.search(rf"<{name}>(?P<text>.*?)</{name}>", book, re.DOTALL)
    if match is None:
        raise ValueError(f"{where}: expected an element <{name}> in the book, got none.")
    return html.unescape(match["text"]).strip()


def _token_files(path: str, text: str) -> RawTable:
    """Return the documents of `.I id`, `.W`, and lines of tokens."""
    ids: List[str] = []
    texts: List[List[str]] = []
    lines: List[int] = []
    has_text = True
    for number, line in enumerate(text.split("\n"), 1):
        match = _ID.match(line)
        if match is not None:
            if not has_text:
                raise ValueError(f"{path}, line {number}: expected '.W', got '{line[:40]}'.")
            ids.append(match["id"])
            texts.append([])
            lines.append(number)
            has_text = False
        elif line.strip() == ".W" and ids and not has_text:
            has_text = True
        elif line.strip():
            if not ids or not has_text:
                raise ValueError(
                    f"{path}, line {number}: expected '{'.W' if ids else '.I'}' "
                    f"{'after the line of an id' if ids else 'and the id of a document'}, got "
                    f"'{line.strip()[:40]}'."
                )
            texts[-1].append(line.strip())
    if not ids:
        raise ValueError(f"{path}: expected documents, each after a line '.I id', got none.")
    columns: Dict[str, List[Any]] = {"id": ids, "text": [" ".join(each) for each in texts]}
    return RawTable(path, columns, lines, typed=True)
