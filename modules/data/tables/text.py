"""Tables of text: CSV and TSV."""

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from .raw import RawTable

SEPARATORS = {"csv": ",", "tsv": "\t"}
_OTHERS = (";", "\t", ",", "|")


class TextSettings(NamedTuple):
    """How text is written: see `TableReader`."""

    encoding: str = "utf-8"
    separator: str = ""
    header: bool = True
    quotes: bool = True


def read_text(path: str, encoding: str) -> str:
    """Return the text of a file, which may be compressed (`.gz`), without a byte order mark.

    # Raises

    `ValueError` for a file that cannot be read, or is not text in this encoding.
    """
    try:
        content = Path(path).read_bytes()
        if path.endswith(".gz"):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise ValueError(f"{path}: expected a file that can be read, got: {said}.") from None
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
            if content.startswith(mark):
                raise ValueError(
                    f"{path}, line 1: expected text in the encoding '{encoding}', got the byte "
                    f"order mark of {name}; set 'encoding' of the dataset reader to '{name}', or "
                    "save the file as UTF-8."
                )
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content.count(b"\n", 0, start) + 1
        column = start - (content.rfind(b"\n", 0, start) + 1) + 1
        raise ValueError(
            f"{path}, line {line}, byte {column}: expected text in the encoding '{encoding}', got "
            f"the byte 0x{content[start]:02x}; set 'encoding' of the dataset reader, for example "
            "to 'latin-1'."
        ) from None
    return text.removeprefix("\ufeff")


def read_csv(path: str, kind: str, settings: TextSettings) -> RawTable:
    """Return the table of a CSV or TSV file.

    # Raises

    `ValueError` for bad quotes, for rows of several widths, and for a bad header, with file and
    line.
    """
    separator = settings.separator or SEPARATORS[kind]
    rows, lines = _split(path, read_text(path, settings.encoding), separator, settings.quotes)
    if not rows:
        raise ValueError(f"{path}: expected a header and rows, got an empty file.")
    if settings.header:
        names, rows, lines = rows[0], rows[1:], lines[1:]
        _check_header(path, names, separator)
        if not rows:
            raise ValueError(f"{path}: expected rows after the header, got none.")
    else:
        names = [f"column_{place}" for place in range(1, len(rows[0]) + 1)]
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(names):
            raise ValueError(
                f"{path}, line {line}: expected {len(names)} cells, as in the first line, got "
                f"{len(row)}; put quotes around a cell that has the separator '{_shown(separator)}'"
                " in it, or set 'separator' of the dataset reader."
            )
    cells: Dict[str, List[Any]] = {
        name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    return RawTable(path, cells, lines)


def _split(
    path: str, text: str, separator: str, quotes: bool
) -> "tuple[List[List[str]], List[int]]":
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        strict=True,
        skipinitialspace=True,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
    )
    rows: List[List[str]] = []
    lines: List[int] = []
    before = 0
    try:
        for row in reader:
            if len(row) > 1 or any(cell.strip() for cell in row):  # no blank line
                rows.append(row)
                lines.append(before + 1)
            before = reader.line_num
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {before + 1}: expected cells separated by '{_shown(separator)}' with "
            f"quotes that open and close at its ends (a quote inside is doubled), got: {error}."
        ) from None
    return rows, lines


def _check_header(path: str, names: Sequence[str], separator: str) -> None:
    if len(names) == 1:
        other = next((mark for mark in _OTHERS if mark != separator and mark in names[0]), None)
        if other is not None:
            raise ValueError(
                f"{path}, line 1: expected columns separated by '{_shown(separator)}', got one "
                f"column '{names[0][:40]}'; set 'separator' of the dataset reader to "
                f"'{_shown(other)}'."
            )
    seen: Dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name in seen:
            raise ValueError(
                f"{path}, line 1: expected columns of different names, got '{name[:40]}' as column "
                f"{seen[name]} and {place}; rename one, or set 'header' of the dataset reader to "
                "false if the file has no header."
            )
        seen[name] = place


def _shown(separator: str) -> str:
    return "\\t" if separator == "\t" else separator
