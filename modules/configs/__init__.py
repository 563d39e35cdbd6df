"""The library of configs, methods, defaults and data sets in Jsonnet, for any config to import."""

from .library import LIBRARY, evaluate_file, evaluate_snippet, library_files

__all__ = ["LIBRARY", "evaluate_file", "evaluate_snippet", "library_files"]
