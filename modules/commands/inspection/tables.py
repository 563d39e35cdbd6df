"""Tables and ARFF files: which columns are labels, and which are no features."""

import fnmatch
import os
import re
import shlex
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ...data.arff import read_arff
from ...data.readers import ArffReader, TableReader
from ...data.tables import (
    CellSettings,
    RawTable,
    TextSettings,
    as_patterns,
    format_of,
    matching,
    read_table,
)
from ...data.tables.cells import as_numbers, count_numbers, is_missing
from .delimited import delimited_columns
from .found import Found, Options, listed
from .prose import inspect_texts, prose_columns, texts_of
from .rows import describe_rows
from .text import has_decimal_commas, text_settings

_NAMES = ("labels", "label", "tags", "tag", "classes", "categories", "topics", "genres")
_DELIMITERS = (";", "|", ",", " ")
_PREFIX = re.compile(r"(label|tag|class|target|topic|y)s?[_:.]", re.IGNORECASE)
_CELLS = CellSettings()
_EXAMPLE = "--labels tags --delimiter ';'"
_SHOWN = 30  # columns in a command


def inspect_arff(path: str, options: Options) -> Found:
    """Return what an ARFF file has.

    # Raises

    `ValueError` where its labels cannot be told, or are not as `options` say.
    """
    settings = _arff_labels(path, options.labels) if options.labels else {}
    attributes = read_arff(path)[0].attributes
    taxonomy = next((each.taxonomy for each in attributes if each.taxonomy is not None), None)
    if taxonomy is not None:
        settings["missing_value"] = "mean"
    try:
        instances = list(ArffReader(**settings).instances(path))
    except ValueError as error:
        if options.labels or "labels" not in str(error):
            raise
        raise ValueError(f"{error} Or name the labels: --labels a,b or --labels 'TAG_*'.") from None
    facts, warnings = describe_rows(instances)
    task = "multi_label" if taxonomy is None else "hierarchical"
    return Found(task, {"type": "arff", **settings}, facts, warnings)


def _arff_labels(path: str, patterns: Sequence[str]) -> Dict[str, Any]:
    """Return the settings of the reader for labels at the start or at the end of the attributes."""
    header, _ = read_arff(path)
    names = [attribute.name for attribute in header.attributes]
    chosen = _chosen(path, names, patterns)
    count = len(chosen)
    for at, part in (("end", names[-count:]), ("start", names[:count])):
        if set(part) == set(chosen):
            return {"num_labels": count, "labels_at": at}
    raise ValueError(
        f"{path}: expected labels that are the first or the last attributes, got {listed(chosen)}; "
        "write an XML file with the labels beside the data, as Mulan does."
    )


def inspect_table(path: str, options: Options) -> Found:
    """Return what a table has.

    # Raises

    `ValueError` where the columns of labels cannot be told, with the option that names them.
    """
    settings: Dict[str, Any] = text_settings(path, options)
    TableReader(**settings)  # raises for what is no separator or encoding
    text = TextSettings(settings.get("encoding", "utf-8"), settings.get("separator", ""))
    table = read_table(path, settings=text)
    warnings: List[str] = []
    if isinstance(table, RawTable):
        if options.decimal is None and has_decimal_commas(table):
            settings["decimal"] = ","
        cells = CellSettings(decimal=settings.get("decimal", "."))
        settings.update(_label_settings(path, table, options))
        labels = matching(list(table.columns), as_patterns(settings.get("labels")))
        ignored, warnings = _no_features(table, labels, cells)
        texts = texts_of(table, labels, ignored, options)
        if texts:
            return inspect_texts(path, texts, settings, table)
        warnings += [
            f"The column '{name}' has prose; --text {shlex.quote(name)} reads it in place of the "
            "features."
            for name in prose_columns(table, labels)
        ]
        warnings += _further_labels(table, labels, options)
        if ignored:
            settings["ignore"] = ignored
    facts, doubts = describe_rows(list(TableReader(**settings).instances(path)))
    return Found("multi_label", {"type": "table", **settings}, facts, [*warnings, *doubts])


def _label_settings(path: str, table: RawTable, options: Options) -> Dict[str, Any]:
    names = list(table.columns)
    if options.labels:
        chosen = _chosen(path, names, options.labels)
        labels = options.labels[0] if len(options.labels) == 1 else list(options.labels)
        if len(chosen) == 1 and not _is_binary(table, chosen[0]):
            return {"labels": labels, **_separator(path, table, chosen[0], options)}
        return {"labels": labels}
    if table.labels is not None:
        return {}
    by_name = next((n for n in names if n.lower() in _NAMES and not _is_binary(table, n)), None)
    if by_name is not None:
        label = {} if by_name == "labels" else {"labels": by_name}
        return {**label, **_separator(path, table, by_name, options)}
    binary = [name for name in names if _is_binary(table, name)]
    prefixes = {match[0] for name in binary if (match := _PREFIX.match(name))}
    for prefix in sorted(prefixes):
        if all(name in binary for name in names if name.startswith(prefix)):
            return {"labels": f"{prefix}*"}
    delimited = delimited_columns(table)
    if len(delimited) == 1 and not binary:
        ((column, mark),) = delimited.items()
        return {"labels": column, "label_separator": mark}
    commands = [
        f"--labels {shlex.quote(column)} --delimiter '{mark}'" for column, mark in delimited.items()
    ]
    if 0 < len(binary) <= _SHOWN:
        commands.insert(0, f"--labels {shlex.quote(','.join(binary))}")
    raise ValueError(
        f"{path}: expected to tell which columns are labels, got {listed(names, 8)}; "
        + (f"run `{_command(path, options, commands[0])}`, or " if commands else "")
        + f"name {'others' if commands else 'them'}, --labels a,b or --labels 'genre_*', "
        "or the one that has all labels of a row, "
        f"{commands[1] if len(commands) > 1 else _EXAMPLE}."
    )


def _command(path: str, options: Options, flags: str) -> str:
    """Return the command that looks at a file with further flags."""
    text = (("separator", options.separator), ("decimal", options.decimal))
    more = "".join(
        f" --{name} {shlex.quote(value)}"
        for name, value in (*text, ("encoding", options.encoding))
        if value is not None
    )
    return f"allennlp init {shlex.quote(path)} {flags}{more}"


def _chosen(path: str, names: Sequence[str], patterns: Sequence[str]) -> List[str]:
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) or name == pattern for name in names):
            raise ValueError(
                f"{path}: expected labels (--labels) among the columns {listed(names, 8)}, got "
                f"'{pattern}'."
            )
    return matching(list(names), list(patterns))


def _separator(path: str, table: RawTable, column: str, options: Options) -> Dict[str, Any]:
    """Return the setting for the mark between the labels in the cells of a column."""
    cells = [cell for cell in table.columns[column] if not is_missing(cell, _CELLS)]
    if not all(isinstance(cell, str) for cell in cells):
        return {}  # lists
    if options.delimiter is not None:
        return {"label_separator": options.delimiter}
    if count_numbers(cells, table.typed, _CELLS)[0] > len(cells) / 2:
        raise ValueError(
            f"{path}: expected labels (--labels), which are columns of 0 and 1 or one column that "
            f"has all labels of a row, got the column '{column}' of numbers such as {cells[0]}; "
            "choose others."
        )
    for mark in _DELIMITERS:
        if sum(mark in cell for cell in cells) > len(cells) / 20:
            return {"label_separator": mark}
    raise ValueError(
        f"{path}: expected several labels in some cells of the column '{column}', got one in each, "
        f"such as {cells[0] if cells else ''!r:.40}; give the mark between labels, "
        "--delimiter ';', or other columns, --labels a,b."
    )


def _is_binary(table: RawTable, name: str) -> bool:
    cells = table.columns[name]
    if any(isinstance(cell, (list, tuple, dict, set)) for cell in cells):
        return False
    values, bad = as_numbers(cells, table.typed, _CELLS)
    return bad is None and bool(((values == 0) | (values == 1) | (values != values)).all())


def _further_labels(table: RawTable, labels: Sequence[str], options: Options) -> List[str]:
    """Return a sentence about columns that may be labels as well."""
    if options.labels and labels and all(_is_binary(table, name) for name in labels):
        further = [n for n in table.columns if n not in labels and _has_both(table, n)]
        if further:
            kind = "feature that has" if len(further) == 1 else "features that have"
            article = "a " if len(further) == 1 else ""
            return [
                f"{listed(further)}: {article}{kind} 0 and 1, as labels do; name all labels in "
                "--labels."
            ]
    is_told = not options.labels and len(labels) == 1 and labels[0].lower() not in _NAMES
    if is_told and not _is_binary(table, labels[0]):
        return [f"The column '{labels[0]}' has all labels of a row (otherwise: --labels a,b)."]
    return []


def _has_both(table: RawTable, name: str) -> bool:
    if not _is_binary(table, name):
        return False
    values, _ = as_numbers(table.columns[name], table.typed, _CELLS)
    return bool((values == 0).any() and (values == 1).any())


def _no_features(
    table: RawTable, labels: Sequence[str], settings: CellSettings
) -> Tuple[List[str], List[str]]:
    """Return the columns that only number or name the rows, and what looks wrong in others."""
    ignored, warnings = [], []
    for name, cells in table.columns.items():
        if name in labels or any(isinstance(cell, (list, tuple, dict)) for cell in cells):
            continue
        numbers, words = count_numbers(cells, table.typed, settings)
        reason = _like_an_id(table, cells, numbers, words, settings)
        if reason is not None:
            ignored.append(name)
            warnings.append(f"The column '{name}' {reason} and is left out (ignore).")
        elif 0 < words <= numbers / 10:
            row = next(
                i for i, cell in enumerate(cells) if count_numbers([cell], table.typed, settings)[1]
            )
            warnings.append(
                f"{table.at(row, name)}: {cells[row]!r:.40} among {numbers:,} numbers; numbers are "
                "finite, and what stands for a missing value is named in missing_values."
            )
    return ignored, warnings


def _like_an_id(
    table: RawTable, cells: List[Any], numbers: int, words: int, settings: CellSettings
) -> Optional[str]:
    if len(cells) < 10:
        return None
    if words == len(cells) and len(set(cells)) == len(cells):
        return "has another text in every row"
    if numbers == len(cells):
        values, _ = as_numbers(cells, table.typed, settings)
        if bool((values[1:] - values[:-1] == 1).all()):
            return "numbers the rows"
    return None


def is_table(path: str) -> bool:
    """Return whether the reader `table` knows the format of a file."""
    return os.path.isfile(path) and format_of(path) is not None
