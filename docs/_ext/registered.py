"""Directives that write reference pages from the code.

    ```{registered} structured_energy.losses.Loss
    ```

shows the names that this package registers for a base class, ours or AllenNLP's: a table of
the names, then a section for each name, with the docstring and the parameters of the constructor. A
class without registered names, which configs use directly, has one section. `{data-sets}` lists the
published data sets.

The directives write Markdown, which MyST parses as it parses the page.
"""

import argparse
import inspect
import re
from importlib import import_module
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence

from allennlp.commands.subcommand import Subcommand
from allennlp.common import FromParams, Registrable
from docutils import nodes
from docutils.statemachine import StringList
from readable import doctests_fenced, escaped, readable, summary
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import structured_energy
from structured_energy.data.registry import known_data_sets

AS_IN = "as in AllenNLP's"
# The giver of each parameter that no config has, by base class and name of the parameter.
SHARED = dict.fromkeys(("output_space", "score_network", "task_network", "oracle_value"), "model")
GIVEN: Dict[str, Dict[str, str]] = {
    "CostAugmentedNetwork": {"output_size": "sampler"},
    "DataLoader": dict.fromkeys(("reader", "data_path"), "AllenNLP"),
    "LearningRateScheduler": {"optimizer": "trainer"},
    "Model": dict.fromkeys(SHARED, ""),
    "Optimizer": {"model_parameters": "trainer"},
    "Predictor": dict.fromkeys(("model", "dataset_reader", "frozen"), "AllenNLP"),
    "Projection": dict.fromkeys(("encoder", "num_labels"), "network"),
    "StructuredScore": dict.fromkeys(("num_labels", "encoding_size"), "score network"),
    "Trainer": dict.fromkeys(
        (
            "model",
            "serialization_dir",
            "data_loader",
            "validation_data_loader",
            "local_rank",
            "distributed",
            "world_size",
        ),
        "AllenNLP",
    ),
    "TrainerCallback": {"serialization_dir": "AllenNLP"},
}


class Entry(NamedTuple):
    """A class that a config can name, and its constructor."""

    name: str
    cls: type
    constructor: str


def is_ours(cls: type) -> bool:
    """Return whether this package defines a class."""
    return cls.__module__.split(".")[0] == structured_energy.__name__


def entries(base: type) -> List[Entry]:
    """Return the entries of a base class by name; a class without names is its only entry."""
    if not issubclass(base, Registrable):
        return [Entry(base.__name__, base, "__init__")]
    return [
        Entry(name, cls, constructor or "__init__")
        for name, (cls, constructor) in sorted(Registrable._registry.get(base, {}).items())
        if is_ours(cls)
    ]


def has_place(cls: type) -> bool:
    """Return whether the reference shows a class, so that types can link to it."""
    if issubclass(cls, Registrable):
        return bool(entries(cls))
    return is_ours(cls) and issubclass(cls, FromParams)


def label(base: type, name: str = "") -> str:
    """Return the target of links to a base class, or to one of its names."""
    parts = ["component", base.__name__.lower(), "" if name == base.__name__ else name]
    return "-".join(filter(None, parts))


def file_of(cls: type) -> str:
    """Return the file of a class of this package, relative to the root of the repository."""
    return "/".join(["modules", *cls.__module__.split(".")[1:]]) + ".py"


def sections(cls: type) -> Dict[str, str]:
    """Return the parts of a docstring by heading; the part before the first heading is at ''."""
    parts = re.split(r"^# (.+)\n", inspect.cleandoc(cls.__doc__ or ""), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(cls: type) -> Dict[str, str]:
    """Return the description of each parameter in the docstring of the class or of its bases.

    A description is the indented text below a line `name, other : type`.
    """
    descriptions: Dict[str, str] = {}
    for owner in filter(is_ours, cls.__mro__):
        for heading, text in sections(owner).items():
            if heading.startswith("Parameters"):
                for names, lines in re.findall(
                    r"^(\w[\w, ]*?) *(?::.*)?$\n?((?:^ +.*$\n?|^\n)*)", text, flags=re.MULTILINE
                ):
                    for name in names.split(", ") if lines.strip() else ():
                        descriptions.setdefault(name, " ".join(lines.split()))
    return descriptions


def parameters(entry: Entry) -> List[inspect.Parameter]:
    """Return the parameters of the constructor."""
    function = entry.cls
    if entry.constructor != "__init__":
        function = getattr(entry.cls, entry.constructor)
    return list(inspect.signature(function).parameters.values())


def giver(base: type, name: str) -> str:
    """Return the giver of a parameter that no config has, or '' for any other parameter."""
    everywhere = {"vocab": "AllenNLP", **SHARED}
    return GIVEN.get(base.__name__, {}).get(name, everywhere.get(name, ""))


def explained(base: type, entry: Entry, name: str) -> str:
    """Return the description of a parameter, or its giver."""
    source = giver(base, name)
    if source:
        return f"*given by {source if source == 'AllenNLP' else f'the {source}'}*"
    text = escaped(described(entry.cls).get(name, ""))
    if text:
        return text
    for owner in entry.cls.__mro__:
        constructor = vars(owner).get(entry.constructor)
        if not is_ours(owner) and constructor is not None:
            function = getattr(constructor, "__func__", constructor)
            if name in inspect.signature(function).parameters:
                return f"{AS_IN} `{owner.__name__}`"
    return ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown, and an empty line."""
    for row in (header, ["---"] * len(header), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def default_of(parameter: inspect.Parameter) -> str:
    """Return the default of a parameter as text; for a lazy one, the class that it constructs."""
    default = parameter.default
    if default is inspect.Parameter.empty:
        return "required"
    constructor = getattr(default, "_constructor", None)
    return f"`{default!r}`" if constructor is None else f"`{constructor.__qualname__}`"


def of_entry(base: type, entry: Entry) -> Iterator[str]:
    """Yield the section of a name: class and file, docstring, parameters."""
    yield from (f"`{entry.cls.__qualname__}`, in `{file_of(entry.cls)}`", "")
    yield from docstring(entry.cls)
    if issubclass(entry.cls, Subcommand):
        yield from ("```text", help_of(entry.cls), "```", "")
        return
    rows = [
        (
            f"`{parameter.name}`",
            readable(parameter.annotation, lambda c: f"#{label(c)}" if has_place(c) else ""),
            default_of(parameter),
            explained(base, entry, parameter.name),
        )
        for parameter in parameters(entry)
    ]
    # First the parameters of the class, then AllenNLP's, then those that no config has.
    rows.sort(key=lambda row: (row[3].startswith("*"), row[3].startswith(AS_IN)))
    if rows:
        yield from table(["parameter", "type", "default", ""], rows)
    else:
        yield from ("It has no parameters.", "")


def docstring(cls: type) -> Iterator[str]:
    """Yield the docstring without the parameters, which have a table."""
    for heading, text in sections(cls).items():
        if not heading.startswith("Parameters"):
            yield from (doctests_fenced(f"**{heading}**\n\n{text}" if heading else text), "")


def help_of(command: type) -> str:
    """Return the output of a command with `--help`."""
    subparsers = argparse.ArgumentParser("allennlp").add_subparsers()
    parser = command().add_subparser(subparsers)
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=88)
    return parser.format_help()


def of_base(base: type, address: str) -> Iterator[str]:
    """Yield the description of a base class, imported from `address`, and a table of names."""
    yield from (f"({label(base)})=", "")
    if is_ours(base):
        yield from (f"The base class is `{address}`.", "")
        yield from docstring(base)
        rows = [
            (f"`{hook}`", summary(inspect.getdoc(getattr(base, hook)) or ""))
            for hook in sorted(getattr(base, "__abstractmethods__", ()))
        ]
        yield from table(["a subclass fills", ""], rows)
    else:
        yield from (f"The base class is AllenNLP's `{base.__name__}`.", "")
    rows = [
        (f"[`{entry.name}`](#{label(base, entry.name)})", summary(sections(entry.cls)[""]))
        for entry in entries(base)
    ]
    yield from table(["name", ""], rows)


class MarkdownDirective(SphinxDirective):
    """A directive that writes Markdown."""

    def parsed(self, lines: Iterable[str]) -> List[nodes.Node]:
        """Parse Markdown without headings."""
        root = nodes.Element()
        source = "\n".join(lines).splitlines()
        self.state.nested_parse(StringList(source, self.env.docname), 0, root)
        return root.children


class RegisteredDirective(MarkdownDirective):
    """`{registered} module.Class`."""

    required_arguments = 1

    def run(self) -> List[nodes.Node]:
        """Return the table of the names, and a section for each name."""
        module, _, name = self.arguments[0].rpartition(".")
        base = getattr(import_module(module), name)
        registered = entries(base)
        if not registered:
            raise self.error(f"Expected a class with names of this package, got {base}.")
        if issubclass(base, Registrable):
            return [
                *self.parsed(of_base(base, self.arguments[0])),
                *self._sections(base, registered),
            ]
        return self._sections(base, registered)

    def _sections(self, base: type, registered: List[Entry]) -> List[nodes.Node]:
        children: List[nodes.Node] = []
        for entry in registered:
            title = nodes.title("", "", nodes.literal(text=entry.name))
            section = nodes.section("", title, names=[label(base, entry.name)])
            self.state.document.note_explicit_target(section, section)
            section += self.parsed(of_entry(base, entry))
            children.append(section)
        return children


class DataSetsDirective(MarkdownDirective):
    """`{data-sets}`."""

    def run(self) -> List[nodes.Node]:
        """Return the table of the data sets."""
        rows = [
            (f"`{name}`", ", ".join(f"`data://{name}/{split}`" for split in data_set.files))
            for name, data_set in sorted(known_data_sets().items())
        ]
        return self.parsed(table(["data set", "paths"], rows))


def setup(app: Sphinx) -> Dict[str, Any]:
    """Register the directives."""
    app.add_directive("registered", RegisteredDirective)
    app.add_directive("data-sets", DataSetsDirective)
    return {"parallel_read_safe": True}
