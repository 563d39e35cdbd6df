"""Attributes that AllenNLP reads when it is imported, restored or extended before it does."""

import importlib
import os
import sys
from contextlib import contextmanager, nullcontext
from importlib import import_module
from types import ModuleType
from typing import Any, Callable, Iterator, List, NamedTuple, Tuple


class EarlyPatch(NamedTuple):
    """A value for an attribute of a module, set before AllenNLP reads it.

    # Parameters

    module : `str`
        The name of the module.
    name : `str`
        The name of the attribute.
    replacement : `Callable`
        A function of the module that returns the value.
    only_where_missing : `bool`
        Whether a module that has the attribute keeps its value.
    why : `str`
        One sentence: what current packages lack, and what the value does.
    """

    module: str
    name: str
    replacement: Callable[[Any], Any]
    only_where_missing: bool
    why: str

    @property
    def place(self) -> str:
        """The dotted name of the attribute, such as `transformers.AdamW`."""
        return f"{self.module}.{self.name}"


def apply_early_patches(*names: str) -> None:
    """Import the modules of these names that are installed, and apply their patches."""
    for patch in EARLY_PATCHES:
        if patch.module not in names:
            continue
        try:
            module = import_module(patch.module)
        except ModuleNotFoundError:  # AllenNLP says that it is missing
            continue
        if not (patch.only_where_missing and hasattr(module, patch.name)):
            # transformers replaces its entry in `sys.modules`; all entries share their own class.
            owner = module if type(module) is ModuleType else type(module)
            setattr(owner, patch.name, patch.replacement(module))


def hf_folder(huggingface_hub: Any) -> Any:
    """Return a class with the method of the former `HfFolder` that AllenNLP calls."""

    class HfFolder:
        """The token of the user."""

        @staticmethod
        def get_token() -> Any:
            return huggingface_hub.get_token()

    return HfFolder


def repository(huggingface_hub: Any) -> Any:
    """Return a class in place of the former `Repository`, which raises when it is constructed."""

    class Repository:
        """A git clone of a repository of the hub."""

        def __init__(self, local_dir: Any, clone_from: Any = None, use_auth_token: Any = None):
            raise RuntimeError(
                "Expected huggingface_hub < 1 for AllenNLP's command push-to-hf, got "
                f"{huggingface_hub.__version__}, which has no class Repository; upload the folder "
                "of the run with 'hf upload'."
            )

    return Repository


def adamw(transformers: Any) -> Any:
    """Return torch's AdamW with the signature of the former class of transformers."""
    import torch

    class AdamW(torch.optim.AdamW):
        """AdamW, with bias correction only."""

        def __init__(
            self,
            params: Any,
            lr: float = 1e-3,
            betas: Tuple[float, float] = (0.9, 0.999),
            eps: float = 1e-6,
            weight_decay: float = 0.0,
            correct_bias: bool = True,
        ) -> None:
            if not correct_bias:
                raise ValueError(
                    "Expected correct_bias: true in the optimizer 'huggingface_adamw' with "
                    f"transformers {transformers.__version__}, which has no AdamW of its own, got "
                    "false."
                )
            super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    return AdamW


def discover_plugins(plugins: Any) -> Any:
    """Return AllenNLP's function with `structured_energy` as the first plugin.

    A failure to import it is one sentence, for the environment may be that of another project;
    the environment variable ALLENNLP_DEBUG raises it.
    """
    discover = plugins.discover_plugins

    def discover_plugins() -> Iterator[str]:
        try:
            import_module("structured_energy")
        except Exception as error:
            if os.environ.get("ALLENNLP_DEBUG"):
                raise
            sys.stderr.write(
                "Expected to import structured_energy as a plugin of AllenNLP, got "
                f"{type(error).__name__}: {error}; reinstall it, or set "
                "STRUCTURED_ENERGY_STARTUP=off.\n"
            )
        else:
            yield "structured_energy"
        yield from (name for name in discover() if name != "structured_energy")

    return discover_plugins


def import_module_and_submodules(plugins: Any) -> Any:
    """Return AllenNLP's function, which leaves out its helpers for tests, and which reads the
    folders of the path once for AllenNLP, not again for each of its 300 modules."""
    import_all = plugins.import_module_and_submodules

    def import_module_and_submodules(package_name: str, exclude: Any = None) -> None:
        with _folders_read_once() if package_name == "allennlp" else nullcontext():
            import_all(package_name, {*(exclude or ()), "allennlp.common.testing"})

    return import_module_and_submodules


@contextmanager
def _folders_read_once() -> Iterator[None]:
    """Invalidate the caches of imports now, and not inside the context."""
    importlib.invalidate_caches()
    invalidate_caches = importlib.invalidate_caches
    importlib.invalidate_caches = lambda: None
    try:
        yield
    finally:
        importlib.invalidate_caches = invalidate_caches


EARLY_PATCHES: List[EarlyPatch] = [
    EarlyPatch(
        "huggingface_hub",
        "HfFolder",
        hf_folder,
        True,
        "huggingface_hub 1 has no such class, which AllenNLP asks for the token of the user.",
    ),
    EarlyPatch(
        "huggingface_hub",
        "Repository",
        repository,
        True,
        "huggingface_hub 1 has no such class; `allennlp push-to-hf` says so, and the rest works.",
    ),
    EarlyPatch(
        "transformers",
        "AdamW",
        adamw,
        True,
        "transformers 5 has no such class, the base of the optimizer `huggingface_adamw`; that of "
        "torch takes its place.",
    ),
    EarlyPatch(
        "allennlp.common.plugins",
        "discover_plugins",
        discover_plugins,
        False,
        "Only the folder of a file `.allennlp_plugins` had this package's components; now every "
        "folder has.",
    ),
    EarlyPatch(
        "allennlp.common.plugins",
        "import_module_and_submodules",
        import_module_and_submodules,
        False,
        "Each command imported pytest for AllenNLP's own tests, and failed without it; it read the "
        "folders of the path again for each module of AllenNLP, half a second.",
    ),
]
