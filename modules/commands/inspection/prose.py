"""Tables with columns of prose: which of them are the texts, and what they have."""

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ...data.readers import MultiLabelTextReader
from ...data.tables import CellSettings, RawTable, as_patterns, matching
from ...data.tables.cells import count_numbers, is_missing
from .found import Found, Options, counted, listed
from .rows import describe_labels

_CELLS = CellSettings()
_WORDS = 4  # of a cell of prose, on average
_LONG = 128  # tokens


def prose_columns(table: RawTable, labels: Sequence[str]) -> List[str]:
    """Return the columns of prose: texts of several words, most of which stand in one row."""
    found = []
    for name, column in table.columns.items():
        cells = [cell for cell in column if not is_missing(cell, _CELLS)]
        if name in labels or not cells or not all(isinstance(cell, str) for cell in cells):
            continue
        words = sum(len(cell.split()) for cell in cells)
        if words >= _WORDS * len(cells) and 2 * len(set(cells)) > len(cells):
            found.append(name)
    return found


def texts_of(
    table: RawTable, labels: Sequence[str], ignored: Sequence[str], options: Options
) -> List[str]:
    """Return the columns of text that the data are about: those of the options, or those of prose
    where no other column is a feature.

    # Raises

    `ValueError` for a column of the options that the table lacks.
    """
    if options.text:
        for name in options.text:
            if name not in table.columns:
                raise ValueError(
                    f"{table.source}: expected texts (--text) among the columns "
                    f"{listed(list(table.columns), 8)}, got '{name}'."
                )
        return list(options.text)
    prose = prose_columns(table, labels)
    others = [n for n in table.columns if n not in (*labels, *prose, *ignored)]
    names = [name for name in others if count_numbers(table.columns[name], table.typed, _CELLS)[0]]
    return prose if not names else []


def inspect_texts(path: str, texts: List[str], settings: Dict[str, Any], table: RawTable) -> Found:
    """Return what a table of texts has.

    # Parameters

    settings : `Dict[str, Any]`
        Those of the reader `table`, as far as they are about labels and the file.
    """
    kept = ("labels", "label_separator", "separator", "encoding")
    own = {key: value for key, value in settings.items() if key in kept}
    if texts != ["text"]:
        own = {"text": texts[0] if len(texts) == 1 else texts, **own}
    instances = list(MultiLabelTextReader(**own).instances(path))
    lengths = np.array([len(instance.fields["x"]) for instance in instances])
    facts: List[Tuple[str, str]] = [
        ("rows", f"{len(instances):,}"),
        (
            "texts",
            f"{listed(texts)}, {lengths.mean():.0f} words and marks on average, at most "
            f"{lengths.max():,}",
        ),
    ]
    names = list(instances[0]["labels"].schema.columns["labels"])
    of_labels, doubts = describe_labels(instances, names)
    warnings = []
    left_out = [n for n in table.columns if n not in texts and n not in _labels(table, settings)]
    if left_out:
        kind = "column" if len(left_out) == 1 else "columns"
        verb = "is" if len(left_out) == 1 else "are"
        warnings.append(
            f"The {kind} {listed(left_out)} {verb} left out: texts have no other features."
        )
    if (lengths > _LONG).any():
        count = counted(int((lengths > _LONG).sum()), "text")
        warnings.append(
            f"{count} of more than {_LONG} words and marks; a transformer reads max_length of its "
            "own pieces."
        )
    reader = {"type": "multi-label-text", **own}
    return Found("multi_label_text", reader, [*facts, *of_labels], [*warnings, *doubts])


def _labels(table: RawTable, settings: Dict[str, Any]) -> List[str]:
    return matching(list(table.columns), as_patterns(settings.get("labels")))
