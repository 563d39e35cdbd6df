"""How the text of a table is written: the mark between cells, and the mark before decimals."""

import csv
import io
from itertools import islice
from typing import Any, Dict

from ...data.tables import CellSettings, RawTable, format_of, read_text
from ...data.tables.doubts import with_other_decimals
from .found import Options

_MARKS = (",", ";", "\t", "|")
_NAMES = {"tab": "\t", "\\t": "\t"}
_ROWS = 50


def text_settings(path: str, options: Options) -> Dict[str, Any]:
    """Return the settings of the reader `table` for text that are not its defaults: those of the
    options, otherwise the separator that gives all rows the most columns.

    # Raises

    `ValueError` for text in another encoding.
    """
    encoding = options.encoding or "utf-8"
    kind = format_of(path, encoding)
    settings: Dict[str, Any] = {}
    if options.encoding is not None:
        settings["encoding"] = options.encoding
    if kind in ("csv", "tsv"):
        default = "," if kind == "csv" else "\t"
        separator = _NAMES.get(options.separator or "", options.separator)
        try:
            separator = separator or _separator(read_text(path, encoding), default)
        except ValueError as error:
            if "'encoding'" not in str(error):
                raise
            named = "utf-16" if "'utf-16'" in str(error) else "latin-1"
            raise ValueError(f"{error} Or name it: --encoding {named}.") from None
        if separator != default:
            settings["separator"] = separator
        if options.decimal is not None:
            settings["decimal"] = options.decimal
    return settings


def has_decimal_commas(table: RawTable) -> bool:
    """Return whether a column of a table of text has numbers with a decimal comma."""
    return not table.typed and any(
        with_other_decimals([table], name, CellSettings()) is not None for name in table.columns
    )


def _separator(text: str, default: str) -> str:
    best, most = default, 1
    for mark in (default, *(mark for mark in _MARKS if mark != default)):
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=mark, strict=True, skipinitialspace=True
        )
        try:
            widths = {len(row) for row in islice(reader, _ROWS) if any(map(str.strip, row))}
        except csv.Error:
            continue
        if len(widths) == 1 and max(widths) > most:
            best, most = mark, max(widths)
    return best
