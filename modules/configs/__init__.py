"""The library of configs, methods, defaults and data sets in Jsonnet, for any config to import."""

from .faults import Fault, component_faults, faults_of
from .library import LIBRARY, evaluate_file, evaluate_snippet, library_files

__all__ = [
    "Fault",
    "LIBRARY",
    "component_faults",
    "evaluate_file",
    "evaluate_snippet",
    "faults_of",
    "library_files",
]
