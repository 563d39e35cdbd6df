"""Prepare the import of AllenNLP for `structured_energy`, in every program.

`structured_energy_hook.pth`, beside this file, calls `install` at the start of Python, which adds a
finder to `sys.meta_path`. The finder acts when `allennlp` is first imported, and never before.
STRUCTURED_ENERGY_STARTUP=off turns it off.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` takes longer to import than all of this file
if TYPE_CHECKING:
    from typing import Any


def install() -> None:
    """Add the finder, unless it is turned off."""
    if os.environ.get("STRUCTURED_ENERGY_STARTUP") != "off":
        sys.meta_path.insert(0, Finder)


class Finder:
    """A finder that gives `allennlp` a loader which prepares its import."""

    searching = False

    @classmethod
    def find_spec(cls, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """Return the spec of `allennlp`, as the other finders find it, and None for other names."""
        if name != "allennlp" or cls.searching:
            return None
        from importlib.util import find_spec

        cls.searching = True
        try:
            spec: "Any" = find_spec(name)
        finally:
            cls.searching = False
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader)
        return spec


class Loader:
    """A loader that executes AllenNLP with the stand-ins and patches of `structured_energy`."""

    def __init__(self, loader: "Any") -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> "Any":
        return getattr(self.loader, name)

    def create_module(self, spec: "Any") -> "Any":
        """Create the module."""
        return self.loader.create_module(spec)

    def exec_module(self, module: "Any") -> None:
        """Execute the module, prepared if `structured_energy` can be loaded."""
        module.__spec__.loader = module.__loader__ = self.loader
        try:
            startup = load_startup()
        except Exception as error:
            sys.stderr.write(
                "Expected structured_energy to prepare the import of AllenNLP, got "
                f"{type(error).__name__}: {error}; reinstall it, or set "
                "STRUCTURED_ENERGY_STARTUP=off.\n"
            )
            startup = None
        if startup is None:
            self.loader.exec_module(module)
        else:
            startup.prepared(lambda: self.loader.exec_module(module))


def load_startup() -> "Any":
    """Return `structured_energy.startup` without its package, which would import AllenNLP.

    None if `structured_energy` is not installed.
    """
    from importlib.util import find_spec, module_from_spec, spec_from_file_location

    name = "structured_energy.startup"
    if name in sys.modules:
        return sys.modules[name]
    package = find_spec("structured_energy")
    if package is None or not package.submodule_search_locations:
        return None
    folder = os.path.join(package.submodule_search_locations[0], "startup")
    spec: "Any" = spec_from_file_location(
        name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    sys.modules[name] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
