"""One patch of AllenNLP, and the loop that applies them."""

import inspect
from typing import Any, Iterable, Literal, NamedTuple

Kind = Literal[
    "torch",
    "transformers",
    "wandb",
    "bug",
    "checkpoint",
    "workers",
    "message",
    "console",
    "security",
]


class Patch(NamedTuple):
    """A replacement for an attribute of a module or class of AllenNLP.

    A replacement that extends the original refers to it by a constant in the replacement's module,
    so applying a patch twice has the effect of applying it once.

    # Parameters

    target : `Any`
        The module or class of AllenNLP that has the attribute.
    name : `str`
        The name of the attribute.
    replacement : `Any`
        The new value of the attribute.
    kind : `Kind`
        The reason in one word.
    why : `str`
        One sentence: what AllenNLP 2.10.1 does, and what the replacement does.
    """

    target: Any
    name: str
    replacement: Any
    kind: Kind
    why: str

    @property
    def place(self) -> str:
        """The dotted name of the attribute, such as `allennlp.common.params.Params.pop_choice`."""
        if inspect.ismodule(self.target):
            return f"{self.target.__name__}.{self.name}"
        return f"{self.target.__module__}.{self.target.__qualname__}.{self.name}"


def apply_patches(patches: Iterable[Patch]) -> None:
    """Replace the attribute of each patch."""
    for patch in patches:
        setattr(patch.target, patch.name, patch.replacement)
