"""The header of a file of text, compared with the settings of the reader before rows are read."""

import codecs
import csv
import gzip
from typing import List, Optional

from .columns import ColumnSettings, check_patterns
from .files import format_of
from .labels import LabelSettings, label_columns
from .raw import RawTable
from .text import SEPARATORS, TextSettings


def check_header(
    path: str,
    format: Optional[str],
    text: TextSettings,
    labels: LabelSettings,
    columns: ColumnSettings,
) -> None:
    """Raise `ValueError` where the settings name a column that the header of a file lacks.

    Only the first line of CSV and TSV is read; other files, and lines that cannot be read, are left
    to the reader.
    """
    kind = format or format_of(path, text.encoding)
    names = _header(path, kind, text) if kind in SEPARATORS and text.header else None
    if names:
        label_columns(RawTable(path, {name: [] for name in names}, []), labels)
        check_patterns(path, names, columns)


def _header(path: str, kind: str, text: TextSettings) -> List[str]:
    is_utf8 = codecs.lookup(text.encoding).name == "utf-8"
    encoding = "utf-8-sig" if is_utf8 else text.encoding
    opened = gzip.open if path.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding=encoding, newline="") as file:
            separator = text.separator or SEPARATORS[kind]
            return next(csv.reader(file, delimiter=separator, skipinitialspace=True), [])
    except (OSError, EOFError, UnicodeError, csv.Error):
        return []
