"""Tables for a console, Markdown, LaTeX and CSV."""

import csv
import io
from typing import Dict, List, NamedTuple

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

WIDTH = 160  # where there is no terminal to fit into
FORMATS = ("console", "markdown", "csv", "latex")
_LATEX = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "±": r"$\pm$", "−": "$-$"}


class Cell(NamedTuple):
    """The text of a cell, in bold type if it stands out."""

    text: str
    bold: bool = False


class Table(NamedTuple):
    """Rows of cells below a header; the first column is of names.

    # Fields

    notes : sentences below the table.
    together : the size of groups of columns that stay together where a wide table is split.
    """

    title: str
    header: List[str]
    rows: List[List[Cell]]
    notes: List[str]
    together: int = 1


def number(value: float) -> str:
    """Return four digits of the value, zeros included.

    >>> number(0.5), number(13.2012), number(0.00001234)
    ('0.5000', '13.20', '1.234e-05')
    """
    return f"{value:#.4g}"


def metric_rows(columns: Dict[str, Dict[str, float]]) -> Table:
    """Return a table with a row for each metric, those of the task before the tree's, and a column
    for each part of the data that has any."""
    columns = {title: values for title, values in columns.items() if values}
    names = sorted(
        dict.fromkeys(name for values in columns.values() for name in values),
        key=lambda name: "." in name,
    )
    rows = [
        [
            Cell(name),
            *(Cell(number(values[name]) if name in values else "") for values in columns.values()),
        ]
        for name in names
    ]
    return Table("", ["metric", *columns], rows, [])


def render(table: Table, form: str) -> str:
    """Return the table as text in one of the formats `markdown`, `csv` and `latex`.

    >>> print(render(Table("F1", ["method", "f1"], [[Cell("a"), Cell("0.5", True)]], []), "csv"))
    method,f1
    a,0.5
    """
    if form == "csv":
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.header)
        writer.writerows([cell.text for cell in row] for row in table.rows)
        return file.getvalue().rstrip("\n")
    if form == "markdown":
        texts = [
            table.header,
            ["---", *["---:"] * (len(table.header) - 1)],
            *(
                [f"**{cell.text}**" if cell.bold else cell.text for cell in row]
                for row in table.rows
            ),
        ]
        lines = [f"{table.title}:", "", *(f"| {' | '.join(row)} |" for row in texts)]
        return "\n".join([*lines, *(f"\n{note}" for note in table.notes)])
    rows = [
        [f"\\textbf{{{_latex(cell.text)}}}" if cell.bold else _latex(cell.text) for cell in row]
        for row in table.rows
    ]
    lines = [
        f"% {table.title}; needs the package booktabs",
        f"\\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        "\\toprule",
        " & ".join(map(_latex, table.header)) + " \\\\",
        "\\midrule",
        *(" & ".join(row) + " \\\\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}",
        *(f"% {note}" for note in table.notes),
    ]
    return "\n".join(lines)


def open_console() -> Console:
    """Return the console; without a terminal it writes plain text in wide lines."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH, color_system=None)


def show(table: Table) -> None:
    """Print the table; one that is wider than the terminal is split into parts."""
    console = open_console()
    for number, columns in enumerate(_parts(table, console.width)):
        title = Text("" if number else table.title)
        part = RichTable(title=title if title else None, title_justify="left")
        for column in columns:
            part.add_column(
                Text(table.header[column]), justify="right" if column else "left", no_wrap=True
            )
        for row in table.rows:
            chosen = (row[column] for column in columns)
            part.add_row(*(Text(cell.text, style="bold" if cell.bold else "") for cell in chosen))
        console.print(part)
    for note in table.notes:
        console.print(Text(note))


def _parts(table: Table, width: int) -> List[List[int]]:
    """Return the columns of each part; every part has the first one."""
    widths = [
        3 + max(len(text) for text in (name, *(row[column].text for row in table.rows)))
        for column, name in enumerate(table.header)
    ]
    parts: List[List[int]] = []
    for start in range(1, len(table.header), table.together):
        group = list(range(start, start + table.together))
        if parts and 1 + sum(widths[column] for column in [*parts[-1], *group]) <= width:
            parts[-1] += group
        else:
            parts.append([0, *group])
    return parts


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
