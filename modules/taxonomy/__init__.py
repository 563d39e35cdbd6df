"""Taxonomies of labels."""

from .taxonomy import NAMESPACE, Taxonomy

__all__ = ["NAMESPACE", "Taxonomy"]
