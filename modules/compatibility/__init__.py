"""Patches of AllenNLP 2.10.1 for current packages, and for features that it has no hook for.

`PATCHES` lists all of them; importing the package applies them.
"""

from ..startup import is_off
from .console import is_command, quiet_handlers
from .errors import say_errors_in_one_sentence, say_errors_of_commands, sentence
from .evaluation import print_metrics_with
from .optimizers import step_without_compiler
from .patch import Patch, apply_patches
from .predictions import at_its_place
from .progress import describe_with, hiding_bars
from .results import CallbackGroup, ResultCallback, callbacks_of
from .schedulers import ReduceOnPlateau
from .table import PATCHES

__all__ = [
    "CallbackGroup",
    "PATCHES",
    "Patch",
    "ReduceOnPlateau",
    "ResultCallback",
    "apply_patches",
    "at_its_place",
    "callbacks_of",
    "describe_with",
    "hiding_bars",
    "print_metrics_with",
    "say_errors_in_one_sentence",
    "sentence",
]

apply_patches(PATCHES)
if not is_off():
    step_without_compiler()
say_errors_of_commands()
if is_command():
    quiet_handlers()
