"""The formats of tables, and the function that reads a file of any."""

from pathlib import Path
from typing import Dict, Literal, Optional, Union

from allennlp.common.checks import ConfigurationError

from .npz import read_npz
from .raw import Matrices, RawTable
from .records import read_json_lines, read_parquet
from .svmlight import is_extreme, read_svmlight
from .text import TextSettings, read_csv

Format = Literal["csv", "tsv", "jsonl", "parquet", "npz", "svmlight", "xmc"]
FORMATS = ("csv", "tsv", "jsonl", "parquet", "npz", "svmlight", "xmc")
SUFFIXES: Dict[str, str] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".npz": "npz",
    ".svm": "svmlight",
    ".svmlight": "svmlight",
    ".libsvm": "svmlight",
    ".xmc": "xmc",
}


def format_of(path: str, encoding: str = "utf-8") -> Optional[str]:
    """Return the format of a file by its suffix (before `.gz`); of `.txt`, by its first line.

    >>> format_of("data/train.csv.gz"), format_of("data/train.xlsx")
    ('csv', None)
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    if suffixes[-1:] == [".txt"]:
        return "xmc" if is_extreme(path, encoding) else None
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def read_table(
    path: str, format: Optional[str] = None, settings: Optional[TextSettings] = None
) -> Union[RawTable, Matrices]:
    """Return the table of a file.

    # Raises

    `ConfigurationError` for a format that is not known, `ValueError` for a bad file.
    """
    settings = settings or TextSettings()
    kind = format or format_of(path, settings.encoding)
    if kind in ("csv", "tsv"):
        return read_csv(path, kind, settings)
    if kind == "jsonl":
        return read_json_lines(path, settings.encoding)
    if kind == "parquet":
        return read_parquet(path)
    if kind == "npz":
        return read_npz(path)
    if kind in ("svmlight", "xmc"):
        return read_svmlight(path, settings.encoding, header=kind == "xmc")
    raise ConfigurationError(
        f"{path}: expected a file that ends in one of {sorted(SUFFIXES)} (or in one of them and "
        f".gz), got another; set 'format' of the dataset reader to one of {list(FORMATS)}."
    )
