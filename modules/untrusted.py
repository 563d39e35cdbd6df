"""Archives from others, which are read without executing their content.

torch reads weights and checkpoints as data. AllenNLP 2.10.1 leaves two ways open, which the
functions here close as patches of `compatibility`: members of an archive that lead out of its
folder, and names in a config that are paths to anything but a component.
"""

import functools
import json
import shutil
import tarfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.registrable import Registrable
from allennlp.models import archival
from allennlp.nn import Activation

_extracted_archive = archival.extracted_archive
_resolve_class_name = Registrable.resolve_class_name.__func__


class _MembersInside(tarfile.TarFile):
    """An archive that extracts files and folders only, and only into the target folder."""

    extraction_filter = staticmethod(tarfile.data_filter)


# The function of `tarfile` that AllenNLP calls to read archives and to write them.
safe_tarfile = SimpleNamespace(open=_MembersInside.open)


@contextmanager
def extracted_archive(path: Any, cleanup: bool = True) -> Iterator[str]:
    """Extract an archive into a folder, and check its config.

    # Raises

    `ValueError` for members outside the folder, for a config that is not plain JSON, and for a
    config with a true `trust_remote_code`.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(_extracted_archive(path, cleanup))
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


@functools.wraps(_resolve_class_name)
def resolve_class_name(cls: Any, name: str) -> Tuple[Any, Optional[str]]:
    """Return the class of a registered name or of the path to a subclass, and its constructor.

    AllenNLP resolves a path such as `subprocess.Popen` as well, so a config could start a process.

    # Raises

    `ConfigurationError` for the path to anything but a subclass.
    """
    resolved, constructor = _resolve_class_name(cls, name)
    if name not in Registrable._registry[cls] and not _is_component(cls, resolved):
        raise ConfigurationError(
            f"Expected the name of a {cls.__name__}, or the path to a subclass of it, got "
            f"'{name}', which is neither."
        )
    return resolved, constructor


def _check_config(archive: Any, path: Path) -> None:
    # `allennlp train` writes plain JSON; Jsonnet could read any file of the machine.
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{archive}: expected a config.json as 'allennlp train' writes it, plain JSON, got "
            f"another: {error}"
        ) from error
    place = _place_of(config, "trust_remote_code")
    if place is not None:
        raise ValueError(
            f"{archive}: expected a config that runs no code of others, got {place}; build the "
            "model from a config of your own if you trust that code."
        )


def _place_of(value: Any, key: str, prefix: str = "") -> Optional[str]:
    """Return the dotted name of the first `key` whose value is true, or None."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return None
    for name, child in value.items():
        here = f"{prefix}.{name}" if prefix else str(name)
        place = here if name == key and child else _place_of(child, key, here)
        if place is not None:
            return place
    return None


def _is_component(base: Any, resolved: Any) -> bool:
    # AllenNLP registers modules of torch as activations.
    bases = (base, torch.nn.Module) if base is Activation else (base,)
    return isinstance(resolved, type) and issubclass(resolved, bases)
