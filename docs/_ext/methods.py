"""The directive `{methods}`, which lists the methods of the library as `allennlp methods` does."""

from typing import Any, Dict, Iterator, List

from docutils import nodes
from registered import MarkdownDirective, table
from sphinx.application import Sphinx

from structured_energy.configs import METHODS
from structured_energy.configs.methods import TITLES, same_as


def sections() -> Iterator[str]:
    """Yield a heading and a table for each task."""
    for task, methods in METHODS.items():
        first = same_as(task)
        if first is not None:
            yield from (f"**{TITLES[task]}**: the methods of {first}", "")
            continue
        rows = [(f"`{each.name}`", each.about, each.paper or "") for each in methods]
        yield from (f"**{TITLES[task]}**", "")
        yield from table(["method", "in short", "paper"], rows)


class MethodsDirective(MarkdownDirective):
    """`{methods}`."""

    def run(self) -> List[nodes.Node]:
        """Return the tables of all tasks."""
        return self.parsed(sections())


def setup(app: Sphinx) -> Dict[str, Any]:
    """Register the directive."""
    app.add_directive("methods", MethodsDirective)
    return {"parallel_read_safe": True}
