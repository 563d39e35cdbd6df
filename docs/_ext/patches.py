"""The directive `{patches}`, which lists the patches of AllenNLP from the table of the code."""

import sys
from typing import Any, Dict, Iterator, List, get_args

from docutils import nodes
from registered import MarkdownDirective, table
from sphinx.application import Sphinx

from structured_energy.compatibility import PATCHES, Patch
from structured_energy.compatibility.patch import Kind
from structured_energy.startup import EARLY_PATCHES

PACKAGE = "structured_energy."
# A sentence for each kind of patch.
KINDS = {
    "torch": "They replace what current torch has deprecated.",
    "transformers": "They keep AllenNLP working with current transformers.",
    "wandb": "They replace what current wandb has removed.",
    "bug": "They correct faults of AllenNLP.",
    "checkpoint": "A run that is killed at any moment, or fills the disk, resumes from its last "
    "checkpoint.",
    "workers": "Several processes, on one node or several, leave the files of one process.",
    "message": "An error in a config names the place, the expected value and the value found.",
    "console": "A command prints results on stdout, and warnings and errors on stderr.",
    "security": "An archive from others is read without executing its content.",
}


def replacement_of(patch: Patch) -> str:
    """Return the name of a replacement in this package: `compatibility.nodes.train_model`."""
    replacement = getattr(patch.replacement, "__func__", patch.replacement)
    modules = sorted(
        (module for module in sys.modules if module.startswith(PACKAGE)),
        key=lambda module: not module.startswith(f"{PACKAGE}compatibility."),
    )
    names = [
        f"{module.removeprefix(PACKAGE)}.{name}"
        for module in modules
        for name, value in vars(sys.modules[module]).items()
        if value is replacement
    ]
    return names[0]


def sections() -> Iterator[str]:
    """Yield a heading, a sentence and a table for each kind of patch."""
    for kind in get_args(Kind):
        rows = [
            (f"`{patch.place}`", f"`{replacement_of(patch)}`", patch.why)
            for patch in PATCHES
            if patch.kind == kind
        ]
        yield from (f"**{kind.capitalize()}.** {KINDS[kind]}", "")
        yield from table(["in AllenNLP", "replacement", "why"], rows)
    yield from ("**Early.** They are set before AllenNLP reads the attribute.", "")
    early = [
        (f"`{patch.place}`", f"`startup.early_patches.{patch.replacement.__name__}`", patch.why)
        for patch in EARLY_PATCHES
    ]
    yield from table(["attribute", "value returned by", "why"], early)


class PatchesDirective(MarkdownDirective):
    """`{patches}`."""

    def run(self) -> List[nodes.Node]:
        """Return the tables of all kinds."""
        return self.parsed(sections())


def setup(app: Sphinx) -> Dict[str, Any]:
    """Register the directive."""
    app.add_directive("patches", PatchesDirective)
    return {"parallel_read_safe": True}
