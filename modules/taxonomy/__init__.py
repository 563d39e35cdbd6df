"""Taxonomies of labels."""

from .labels import taxonomy_of_labels
from .taxonomy import NAMESPACE, Taxonomy

__all__ = ["NAMESPACE", "Taxonomy", "taxonomy_of_labels"]
