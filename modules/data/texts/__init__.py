"""Texts with labels, in the formats that they are published in."""

from .documents import FORMATS, read_documents
from .labels import TextLabels, read_names, read_topics
from .texts_field import TextsField

__all__ = ["FORMATS", "TextLabels", "TextsField", "read_documents", "read_names", "read_topics"]
