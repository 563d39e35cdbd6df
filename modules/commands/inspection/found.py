"""The result of an inspection, and what a user says about the data."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple


class Options(NamedTuple):
    """What a user says about the data, where it cannot be told from them."""

    labels: Sequence[str] = ()
    delimiter: Optional[str] = None
    token_column: Optional[int] = None
    tag_column: Optional[int] = None
    foreground: Sequence[int] = ()
    separator: Optional[str] = None
    decimal: Optional[str] = None
    encoding: Optional[str] = None
    text: Sequence[str] = ()
    trees: bool = False


class Found(NamedTuple):
    """Data that a reader reads.

    # Fields

    task : `str`
        The library of the task: `multi_label`, `multi_label_text`, `hierarchical`, `tagging`,
        `parsing` or `segmentation`.
    reader : `Dict[str, Any]`
        The config of the reader.
    facts : `List[Tuple[str, str]]`
        Sizes and the like: a name and words each.
    warnings : `List[str]`
        What looks wrong, a sentence each.
    settings : `Dict[str, Any]`
        Further keys of the table of the data set.
    """

    task: str
    reader: Dict[str, Any]
    facts: List[Tuple[str, str]]
    warnings: List[str]
    settings: Dict[str, Any] = {}


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names as words, the first ones where there are many.

    >>> listed(["a", "b"]), listed(list("abcdefg"), 2)
    ("'a', 'b'", "'a', 'b' and 5 more")
    """
    shown = ", ".join(f"'{name[:40]}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def counted(count: int, noun: str) -> str:
    """Return a count and its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
