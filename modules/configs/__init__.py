"""The library of configs, methods, defaults and data sets in Jsonnet, for any config to import."""

from .faults import Fault, component_faults, faults_of
from .library import LIBRARY, describe, evaluate_file, evaluate_snippet, library_files
from .methods import METHODS, Method, config_of
from .words import nearest

__all__ = [
    "Fault",
    "LIBRARY",
    "METHODS",
    "Method",
    "component_faults",
    "config_of",
    "describe",
    "evaluate_file",
    "evaluate_snippet",
    "faults_of",
    "library_files",
    "nearest",
]
