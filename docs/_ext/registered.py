"""Directives that write reference pages from the code.

    ```{registered} structured_energy.losses.Loss
    ```

shows what this package registers for a base class, ours or AllenNLP's: a table of the names, then a
section for each, with its docstring and the parameters of its constructor. A class that has no
registered names, because configs use it as it is, is shown by itself. `{data-sets}` lists the
published data sets.

What is made here is Markdown, which MyST parses as it does the page.
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
# What no config says, by the base of the class and the name of the parameter: who gives it.
SHARED = dict.fromkeys(("output_space", "score_network", "task_network", "oracle_value"), "model")
GIVEN: Dict[str, Dict[str, str]] = {
    "CostAugmentedNetwork": {"output_size": "sampler"},
    "DataLoader": dict.fromkeys(("reader", "data_path"), "AllenNLP"),
    "LearningRateScheduler": {"optimizer": "trainer"},
    "Model": dict.fromkeys(SHARED, ""),
    "Optimizer": {"model_parameters": "trainer"},
    "Predictor": dict.fromkeys(("model", "dataset_reader", "frozen"), "AllenNLP"),
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
    """A class that a config can name, and the constructor that the config is given to."""

    name: str
    cls: type
    constructor: str


def is_ours(cls: type) -> bool:
    """Whether a class is of this package."""
    return cls.__module__.split(".")[0] == structured_energy.__name__


def entries(base: type) -> List[Entry]:
    """What is registered for a base class, by name; a class without names is its own entry."""
    if not issubclass(base, Registrable):
        return [Entry(base.__name__, base, "__init__")]
    return [
        Entry(name, cls, constructor or "__init__")
        for name, (cls, constructor) in sorted(Registrable._registry.get(base, {}).items())
        if is_ours(cls)
    ]


def has_place(cls: type) -> bool:
    """Whether a class has a place in the reference, which types link to."""
    if issubclass(cls, Registrable):
        return bool(entries(cls))
    return is_ours(cls) and issubclass(cls, FromParams)


def label(base: type, name: str = "") -> str:
    """What links to a base class, or to one of its names, point to."""
    parts = ["component", base.__name__.lower(), "" if name == base.__name__ else name]
    return "-".join(filter(None, parts))


def file_of(cls: type) -> str:
    """The file of a class of this package, from the root of the repository."""
    return "/".join(["modules", *cls.__module__.split(".")[1:]]) + ".py"


def sections(cls: type) -> Dict[str, str]:
    """The parts of a docstring by heading; what stands before the first heading is under ''."""
    parts = re.split(r"^# (.+)\n", inspect.cleandoc(cls.__doc__ or ""), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(cls: type) -> Dict[str, str]:
    """What docstrings say of each parameter, the class's own first, then those of its bases: below
    a line `name, other : type` what is indented."""
    found: Dict[str, str] = {}
    for owner in filter(is_ours, cls.__mro__):
        for heading, text in sections(owner).items():
            if heading.startswith("Parameters"):
                for names, lines in re.findall(
                    r"^(\w[\w, ]*?) *(?::.*)?$\n?((?:^ +.*$\n?|^\n)*)", text, flags=re.MULTILINE
                ):
                    for name in names.split(", ") if lines.strip() else ():
                        found.setdefault(name, " ".join(lines.split()))
    return found


def parameters(entry: Entry) -> List[inspect.Parameter]:
    """The parameters of the constructor."""
    made_by = entry.cls
    if entry.constructor != "__init__":
        made_by = getattr(entry.cls, entry.constructor)
    return list(inspect.signature(made_by).parameters.values())


def giver(base: type, name: str) -> str:
    """Who gives a parameter that no config says; empty for those that it does."""
    everywhere = {"vocab": "AllenNLP", **SHARED}
    return GIVEN.get(base.__name__, {}).get(name, everywhere.get(name, ""))


def explained(base: type, entry: Entry, name: str) -> str:
    """What is said of a parameter: who gives it, or what it is."""
    given_by = giver(base, name)
    if given_by:
        return f"*given by {given_by if given_by == 'AllenNLP' else f'the {given_by}'}*"
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
    """A table of Markdown, with an empty line after it."""
    for row in (header, ["---"] * len(header), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def default_of(parameter: inspect.Parameter) -> str:
    """A default as it is shown; a lazy one by what it constructs."""
    default = parameter.default
    if default is inspect.Parameter.empty:
        return "required"
    constructor = getattr(default, "_constructor", None)
    return f"`{default!r}`" if constructor is None else f"`{constructor.__qualname__}`"


def of_entry(base: type, entry: Entry) -> Iterator[str]:
    """What stands below a name: class and file, docstring, parameters."""
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
    # The class's own first, then what is AllenNLP's, then what no config says.
    rows.sort(key=lambda row: (row[3].startswith("*"), row[3].startswith(AS_IN)))
    if rows:
        yield from table(["parameter", "type", "default", ""], rows)
    else:
        yield from ("It has no parameters.", "")


def docstring(cls: type) -> Iterator[str]:
    """The docstring without the parameters, which have their table."""
    for heading, text in sections(cls).items():
        if not heading.startswith("Parameters"):
            yield from (doctests_fenced(f"**{heading}**\n\n{text}" if heading else text), "")


def help_of(command: type) -> str:
    """What a command says of itself with `--help`."""
    subparsers = argparse.ArgumentParser("allennlp").add_subparsers()
    parser = command().add_subparser(subparsers)
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=88)
    return parser.format_help()


def of_base(base: type, address: str) -> Iterator[str]:
    """What stands above the names of a base class, which is imported from `address`."""
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
        """The nodes of Markdown without headings."""
        root = nodes.Element()
        source = "\n".join(lines).splitlines()
        self.state.nested_parse(StringList(source, self.env.docname), 0, root)
        return root.children


class RegisteredDirective(MarkdownDirective):
    """`{registered} module.Class`."""

    required_arguments = 1

    def run(self) -> List[nodes.Node]:
        """The table of the names, and a section for each."""
        module, _, name = self.arguments[0].rpartition(".")
        base = getattr(import_module(module), name)
        found = entries(base)
        if not found:
            raise self.error(f"Expected a class with names of this package, got {base}.")
        if issubclass(base, Registrable):
            return [*self.parsed(of_base(base, self.arguments[0])), *self._sections(base, found)]
        return self._sections(base, found)

    def _sections(self, base: type, found: List[Entry]) -> List[nodes.Node]:
        made: List[nodes.Node] = []
        for entry in found:
            title = nodes.title("", "", nodes.literal(text=entry.name))
            section = nodes.section("", title, names=[label(base, entry.name)])
            self.state.document.note_explicit_target(section, section)
            section += self.parsed(of_entry(base, entry))
            made.append(section)
        return made


class DataSetsDirective(MarkdownDirective):
    """`{data-sets}`."""

    def run(self) -> List[nodes.Node]:
        """The table of the data sets."""
        rows = [
            (f"`{name}`", ", ".join(f"`data://{name}/{split}`" for split in data_set.splits))
            for name, data_set in sorted(known_data_sets().items())
        ]
        return self.parsed(table(["data set", "paths"], rows))


def setup(app: Sphinx) -> Dict[str, Any]:
    """Makes the directives known to Sphinx."""
    app.add_directive("registered", RegisteredDirective)
    app.add_directive("data-sets", DataSetsDirective)
    return {"parallel_read_safe": True}
