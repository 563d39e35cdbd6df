"""The labels of texts: lists, delimited names, topics by level, indices into a file of names, or a
file of topics by document."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ..tables import CellSettings, Labels, LabelSettings, RawTable, matching, read_labels, read_text
from ..tables.cells import is_missing


class TextLabels(NamedTuple):
    """Where the labels of texts are: see `MultiLabelTextReader`.

    # Fields

    columns : `Sequence[str]`
    separator : `str`, optional
    names : `List[str]`, optional
        All labels in order, of the file of names.
    topics : `Dict[str, List[str]]`, optional
        The labels of each document by its id.
    id : `str`
        The column of ids.
    """

    columns: Sequence[str]
    separator: Optional[str] = None
    names: Optional[List[str]] = None
    topics: Optional[Dict[str, List[str]]] = None
    id: str = "id"

    def read(self, table: RawTable) -> Labels:
        """Return the labels of each row.

        # Raises

        `ValueError` for a cell that has no labels, with file, line and column.
        """
        if self.topics is not None:
            return self._arranged(table, self.id, [self._of_id(cell) for cell in self._ids(table)])
        columns = matching(list(table.columns), self.columns)
        if not columns or any(not matching(columns, [each]) for each in self.columns):
            raise ValueError(
                f"{table.source}: expected the columns of labels {list(self.columns)}, got the "
                f"columns {[name[:30] for name in list(table.columns)[:8]]}; set 'labels' of the "
                "dataset reader."
            )
        if len(columns) > 1:  # of 0 and 1
            return read_labels(table, columns, LabelSettings(columns, names=self.names))
        rows = []
        for row, cell in enumerate(table.columns[columns[0]]):
            try:
                rows.append([self._name(part) for part in self._parts(cell)])
                _check_once(rows[-1])
            except ValueError as error:
                raise ValueError(f"{table.at(row, columns[0])}: {error}.") from None
        return self._arranged(table, columns[0], rows)

    def _arranged(self, table: RawTable, column: str, rows: List[List[str]]) -> Labels:
        found = sorted({name for row in rows for name in row})
        ordered = found if self.names is None else self.names
        if not ordered:
            raise ValueError(
                f"{table.source}, column '{column}': expected labels, got none in {len(rows)} rows."
            )
        places = {name: place for place, name in enumerate(ordered)}
        on = [np.array(sorted(places[name] for name in row), dtype=np.int64) for row in rows]
        nothing = np.zeros(0, dtype=np.int64)
        return Labels(ordered, on, [nothing] * len(rows), is_open=self.names is None)

    def _ids(self, table: RawTable) -> List[str]:
        if self.id not in table.columns:
            raise ValueError(
                f"{table.source}: expected a column '{self.id}' with the ids of the documents, got "
                f"{[name[:30] for name in list(table.columns)[:8]]}; set 'id' of the reader."
            )
        ids = [str(cell) for cell in table.columns[self.id]]
        for row, each in enumerate(ids):
            if each not in (self.topics or {}):
                raise ValueError(
                    f"{table.at(row, self.id)}: expected a document of the topics file, got "
                    f"'{each[:40]}', which it lacks."
                )
        return ids

    def _of_id(self, document: str) -> List[str]:
        assert self.topics is not None
        return [self._name(topic) for topic in self.topics[document]]

    def _parts(self, cell: Any) -> List[Any]:
        if is_missing(cell, CellSettings()):
            return []
        if isinstance(cell, dict):
            return _of_dictionary(cell)
        if isinstance(cell, (list, tuple)):
            return list(cell)
        if isinstance(cell, str) and self.separator is not None:
            return [part.strip() for part in cell.split(self.separator) if part.strip()]
        if isinstance(cell, int) and not isinstance(cell, bool) and self.names is not None:
            return [cell]
        raise ValueError(
            f"expected a list of labels, or delimited labels, got {cell!r:.40}; set "
            "'label_separator' of the dataset reader to the mark between labels, such as ';'"
        )

    def _name(self, part: Any) -> str:
        """Return the label of a name, or of an index into the file of names."""
        if isinstance(part, bool) or not isinstance(part, (str, int)):
            raise ValueError(f"expected names of labels, got {part!r:.40}")
        name = str(part).strip()
        if not name:
            raise ValueError(f"expected names of labels, got {part!r}")
        if self.names is None or name in self.names:
            return name
        if not (name.isascii() and name.isdigit()):
            raise ValueError(
                f"expected one of the {len(self.names)} labels of 'labels_file', or an index into "
                f"it, got '{name[:40]}'"
            )
        if int(name) >= len(self.names):
            raise ValueError(
                f"expected an index below {len(self.names)}, the number of labels in "
                f"'labels_file', got {name[:40]}"
            )
        return self.names[int(name)]


def _of_dictionary(cell: Dict[str, Any]) -> List[Any]:
    """Return the labels of 0 and 1 by label, or of topics by level."""
    if cell and all(
        type(value) in (bool, int, float) and value in (0, 1) for value in cell.values()
    ):
        return [name for name, value in cell.items() if value == 1]
    topics: List[Any] = []
    for level in cell.values():
        topics.extend(level if isinstance(level, list) else [level])
    return list(dict.fromkeys(topics))  # a topic may stand at two levels


def _check_once(names: List[str]) -> None:
    if len(set(names)) < len(names):
        raise ValueError(f"expected each label once, got {names!r:.60}")


def read_names(path: str, encoding: str) -> List[str]:
    """Return the names of labels in a file that has one on each line.

    # Raises

    `ValueError` for a file without names, or with one twice.
    """
    names: Dict[str, int] = {}
    for number, line in enumerate(read_text(path, encoding).split("\n"), 1):
        name = line.strip()
        if name in names:
            raise ValueError(
                f"{path}, line {number}: expected a name for each label, got '{name[:40]}' as in "
                f"line {names[name]}."
            )
        if name:
            names[name] = number
    if not names:
        raise ValueError(f"{path}: expected the name of a label on each line, got none.")
    return list(names)


def read_topics(path: str, encoding: str) -> Dict[str, List[str]]:
    """Return the topics of each document of a file of lines `topic document 1`, as RCV1-v2 has.

    # Raises

    `ValueError` for another line.
    """
    topics: Dict[str, List[str]] = {}
    for number, line in enumerate(read_text(path, encoding).split("\n"), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) not in (2, 3) or parts[2:] not in ([], ["1"]):
            raise ValueError(
                f"{path}, line {number}: expected a topic, the id of a document and 1, got "
                f"'{line.strip()[:40]}'."
            )
        of_document = topics.setdefault(parts[1], [])
        if parts[0] in of_document:
            raise ValueError(
                f"{path}, line {number}: expected each topic of a document once, got "
                f"'{parts[0][:40]}' again."
            )
        of_document.append(parts[0])
    if not topics:
        raise ValueError(f"{path}: expected topics of documents, got none.")
    return topics
