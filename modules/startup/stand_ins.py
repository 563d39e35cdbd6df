"""Stand-ins for packages that AllenNLP imports, and that most configs never use.

While AllenNLP is imported, an `import` of such a package in a module of AllenNLP or cached_path
returns a stand-in, and the package is not imported. The first use of a stand-in (a call, an
attribute, an item, the construction of a subclass) imports the package, and the real objects take
the place of its stand-ins in those modules. Nothing is ever left in `sys.modules`; packages that
are imported already, and imports in other modules, are not affected.
"""

import builtins
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any, Dict, Iterator, List, Set

from .early_patches import apply_early_patches

# In the modules of these packages ...
IMPORTERS = ("allennlp", "cached_path")
# ... these packages have stand-ins.
PACKAGES = (
    "boto3",
    "botocore",
    "fairscale",
    "google",
    "h5py",
    "huggingface_hub",
    "nltk",
    "scipy",
    "sklearn",
    "spacy",
    "tensorboardX",
    "torchvision",
    "transformers",
)

# The modules that import statements named, for each package; the real ones are imported together.
_named: Dict[str, Set[str]] = {}
_open = False


class MissingPackageError(ModuleNotFoundError):
    """A package that a stand-in stands for is not installed."""


@contextmanager
def standing_in() -> Iterator[None]:
    """Give stand-ins to the modules of AllenNLP and cached_path that are imported here."""
    global _open
    real_import = builtins.__import__

    def import_(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        root = name.partition(".")[0]
        if level == 0 and root in PACKAGES and _is_importer(globals):
            if root not in sys.modules:
                _named.setdefault(root, set()).add(name)
                return StandInModule(name if fromlist else root)
            apply_early_patches(root)
        return real_import(name, globals, locals, fromlist, level)

    builtins.__import__, _open = import_, True
    try:
        yield
    finally:
        builtins.__import__, _open = real_import, False


def _is_importer(namespace: Any) -> bool:
    importer = str((namespace or {}).get("__name__"))
    return importer.partition(".")[0] in IMPORTERS


class StandInModule(ModuleType):
    """A stand-in for a module."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"The stand-in for '{self.__name__}' has no attribute '{name}'.")
        if not _open:
            with suppress(MissingPackageError):
                return _attribute(_real(self.__name__), name)
            # A check of types may name a class of a missing package, of which no object is.
            return _stand_in(self.__name__, name)
        self.__dict__[name] = value = _stand_in(self.__name__, name)
        return value


class StandIn(type):
    """The type of stand-ins for what is in a module: classes, functions, constants, submodules.

    A stand-in may be the base of a class. Each instance of that class is also an instance of the
    real base, since its type derives from both.
    """

    _module: str
    _path: str

    def __call__(cls, *args: Any, **settings: Any) -> Any:
        if "_path" in vars(cls):
            return cls._resolved()(*args, **settings)
        return super(StandIn, cls._with_real_base()).__call__(*args, **settings)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{cls!r} has no attribute '{name}'.")
        if not _open:
            with suppress(MissingPackageError):
                return getattr(cls._resolved(), name)
        return _stand_in(cls._module, f"{cls._path}.{name}")

    def __getitem__(cls, key: Any) -> Any:
        return cls._resolved()[key]

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass: Any) -> bool:
        if type.__subclasscheck__(cls, subclass):
            return True
        # No object has the type of a package that is not imported.
        if "_path" not in vars(cls) or cls._module.partition(".")[0] not in sys.modules:
            return False
        return issubclass(subclass, cls._resolved())

    def __repr__(cls) -> str:
        return f"<stand-in for {cls._module}.{cls._path}>" if "_path" in vars(cls) else cls.__name__

    def _resolved(cls) -> Any:
        value = _real(cls._module)
        for name in cls._path.split("."):
            value = _attribute(value, name)
        return value

    def _with_real_base(cls) -> Any:
        """Return a subclass of this class that also derives from the real base."""
        real = cls._resolved()
        if issubclass(cls, real):
            return cls
        if "_completed" not in vars(cls):
            namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
            cls._completed = StandIn(cls.__name__, (cls, real), namespace)
        return cls._completed


def _stand_in(module: str, path: str) -> Any:
    return StandIn(path.rpartition(".")[2], (), {"_module": module, "_path": path})


def _real(name: str) -> ModuleType:
    """Import a module, and replace the stand-ins of its package in the modules that hold them."""
    root = name.partition(".")[0]
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != root:
            raise
        raise MissingPackageError(
            f"Expected the package '{root}', which AllenNLP needs for this, got none; install it.",
            name=error.name,
        ) from error
    if root in _named:
        for other in _named.pop(root):
            with suppress(ImportError):
                import_module(other)
        apply_early_patches(root)
        _replace(root)
    return module


def _replace(root: str) -> None:
    for module in _importers():
        for name, value in list(vars(module).items()):
            if _root_of(value) == root:
                # What this version of the package lacks raises where it is used.
                with suppress(ImportError, AttributeError):
                    setattr(module, name, _resolved(value))


def _resolved(value: Any) -> Any:
    return value._resolved() if isinstance(value, StandIn) else _real(value.__name__)


def _root_of(value: Any) -> str:
    """Return the package that a value stands in for, '' if it is no stand-in."""
    if isinstance(value, StandInModule):
        return value.__name__.partition(".")[0]
    is_stand_in = isinstance(value, StandIn) and "_path" in vars(value)
    return value._module.partition(".")[0] if is_stand_in else ""


def _importers() -> List[ModuleType]:
    modules = list(sys.modules.items())
    return [module for name, module in modules if name.partition(".")[0] in IMPORTERS]


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute or a submodule, as `from owner import name` does."""
    try:
        return getattr(owner, name)
    except AttributeError:
        if not isinstance(owner, ModuleType):
            raise
        return import_module(f"{owner.__name__}.{name}")
