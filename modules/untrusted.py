"""Archives of others are read without executing what is in them; imported with the package.

torch reads weights and checkpoints as data alone. What AllenNLP 2.10.1 leaves open is closed here:
members of an archive that lead out of its folder, and configs that name what is no component.
"""

import functools
import json
import shutil
import tarfile
import types
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.registrable import Registrable
from allennlp.models import archival
from allennlp.nn import Activation


class _MembersInside(tarfile.TarFile):
    """An archive from which files and folders are extracted, and nothing outside the target."""

    extraction_filter = staticmethod(tarfile.data_filter)


@functools.lru_cache(maxsize=None)
def protect() -> None:
    """Applies all of it; a second call does nothing."""
    _protect_extraction()
    _protect_names()


def _protect_extraction() -> None:
    archival.tarfile = types.SimpleNamespace(open=_MembersInside.open)
    original = archival.extracted_archive

    @contextmanager
    def extracted_archive(path: Any, cleanup: bool = True) -> Iterator[str]:
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(original(path, cleanup))
            except tarfile.FilterError as error:
                raise ValueError(
                    f"{path}: expected an archive whose members stay in its folder, got one that "
                    f"does not: {error}"
                ) from error
            try:
                _check_config(path, Path(folder) / archival.CONFIG_NAME)
            except ValueError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            yield folder

    archival.extracted_archive = extracted_archive


def _check_config(archive: Any, path: Path) -> None:
    # `allennlp train` writes plain JSON; Jsonnet could read any file of the machine.
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{archive}: expected a config.json as 'allennlp train' writes it, plain JSON, got "
            f"another: {error}"
        ) from error
    place = _find(config, "trust_remote_code")
    if place is not None:
        raise ValueError(
            f"{archive}: expected a config that runs no code of others, got {place}; build the "
            "model from a config of your own if you trust that code."
        )


def _find(value: Any, key: str, place: str = "") -> Optional[str]:
    """Where the key has a value that is true."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return None
    for name, below in value.items():
        here = f"{place}.{name}" if place else str(name)
        found = here if name == key and below else _find(below, key, here)
        if found is not None:
            return found
    return None


def _protect_names() -> None:
    # `"type": "package.module.name"` built whatever has that name: a config could start a process.
    original = Registrable.resolve_class_name.__func__

    @functools.wraps(original)
    def resolve_class_name(cls: Any, name: str) -> Tuple[Any, Optional[str]]:
        found, constructor = original(cls, name)
        if name not in Registrable._registry[cls] and not _is_component(cls, found):
            raise ConfigurationError(
                f"Expected the name of a {cls.__name__}, or the path to a subclass of it, got "
                f"'{name}', which is neither."
            )
        return found, constructor

    Registrable.resolve_class_name = classmethod(resolve_class_name)


def _is_component(base: Any, found: Any) -> bool:
    # Activations are modules of torch.
    bases = (base, torch.nn.Module) if base is Activation else (base,)
    return isinstance(found, type) and issubclass(found, bases)


protect()
