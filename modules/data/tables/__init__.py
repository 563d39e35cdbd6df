"""Tables of features and labels, in the formats that tables come in."""

from .cells import MISSING, CellSettings
from .columns import ColumnSettings, matching, raw_names
from .features import FeatureRows, Features
from .files import FORMATS, Format, format_of, read_table
from .header import check_header
from .labels import LabelSettings, as_patterns, label_columns, labels_of_matrices, read_labels
from .memory import Table, table_of
from .raw import Labels, Matrices, RawTable
from .records import table_of_records
from .terms import in_taxonomy
from .text import TextSettings, read_text
from .write import write_table

__all__ = [
    "FORMATS",
    "MISSING",
    "CellSettings",
    "ColumnSettings",
    "FeatureRows",
    "Features",
    "Format",
    "LabelSettings",
    "Labels",
    "Matrices",
    "RawTable",
    "Table",
    "TextSettings",
    "as_patterns",
    "check_header",
    "format_of",
    "in_taxonomy",
    "label_columns",
    "labels_of_matrices",
    "matching",
    "raw_names",
    "read_labels",
    "read_table",
    "read_text",
    "table_of",
    "table_of_records",
    "write_table",
]
