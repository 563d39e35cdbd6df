"""Preparations for the import of AllenNLP, with the standard library only.

Importing `structured_energy` calls `prepare` before anything else. The hook
`structured_energy_hook`, which a `.pth` file installs, does the same for programs that import
AllenNLP first, such as the command `allennlp`.
"""

import os
import pkgutil
import sys
from importlib import import_module
from typing import Any, Callable

from .early_patches import EARLY_PATCHES, EarlyPatch, apply_early_patches
from .requirement import require_allennlp
from .stand_ins import PACKAGES, MissingPackageError, standing_in

__all__ = [
    "EARLY_PATCHES",
    "PACKAGES",
    "EarlyPatch",
    "MissingPackageError",
    "apply_early_patches",
    "is_off",
    "prepare",
    "prepared",
    "standing_in",
]

# Not imported early: they warn, run as programs, or change the log of the importing program.
_LATE = {"allennlp.__main__", "allennlp.sanity_checks", "allennlp.tools"}
_LATE |= {"allennlp.confidence_checks.task_checklists", "allennlp.common.testing"}

_preparing = False


def is_off() -> bool:
    """Return whether the environment variable STRUCTURED_ENERGY_STARTUP is `off`."""
    return os.environ.get("STRUCTURED_ENERGY_STARTUP") == "off"


def prepare() -> None:
    """Import AllenNLP as `prepared` does, unless it is imported already.

    # Raises

    `ImportError`, or `SystemExit` in a command, where AllenNLP is not installed.
    """
    require_allennlp()
    if "allennlp" not in sys.modules:
        prepared(lambda: import_module("allennlp"))


def prepared(import_allennlp: Callable[[], Any]) -> None:
    """Import AllenNLP with stand-ins for packages that it hardly uses, and apply early patches.

    With STRUCTURED_ENERGY_STARTUP=off there are no stand-ins, only the early patches. A call inside
    another one, as of the hook inside `prepare`, only imports.
    """
    global _preparing
    if _preparing:
        import_allennlp()
        return
    _preparing = True
    try:
        if is_off():
            apply_early_patches("huggingface_hub", "transformers")
            import_allennlp()
        else:
            with standing_in():
                import_allennlp()
                _import_submodules("allennlp")
        apply_early_patches("allennlp.common.plugins")
    finally:
        _preparing = False


def _import_submodules(package: str) -> None:
    """Import the modules of a package while the stand-ins are there."""
    for module in pkgutil.iter_modules(sys.modules[package].__path__, f"{package}."):
        if module.name in _LATE:
            continue
        try:
            import_module(module.name)
        except Exception:  # whoever needs the module imports it again, and gets the error
            continue
        if module.ispkg:
            _import_submodules(module.name)
