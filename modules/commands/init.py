"""`allennlp init`: looks at data and writes a config for them."""

import argparse
import re
import sys
from pathlib import Path
from typing import Any, Dict, List

from allennlp.commands.subcommand import Subcommand

from ..configs import config_of
from ..configs.methods import check_method
from .inspection import Found, Options, inspect_path
from .inspection.paths import parts_of
from .quiet import hide_parameters


@Subcommand.register("init")
class InitCommand(Subcommand):
    """Look at a file or folder of data, say what it has and what looks wrong in it, and write a
    config of a dozen lines that trains on it."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Look at data, say what they have, and write a config that trains on them."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} Data are a file (ARFF, CSV, TSV, JSON lines, Parquet, .npz, "
            "svmlight, CoNLL, CoNLL-U), a folder of images and masks, or a folder with files named "
            "train, validation and test.",
        )
        subparser.add_argument("path", help="file or folder of data")
        subparser.add_argument(
            "--method", default="seal_dynamic_nce", help="one of `allennlp methods`"
        )
        subparser.add_argument("--output", type=Path, default=Path("config.jsonnet"))
        subparser.add_argument("--force", action="store_true", help="overwrite the output")
        subparser.add_argument(
            "--labels",
            default="",
            help="columns of labels, by names or patterns with commas between: a,b or 'genre_*'; "
            "or the column that has all labels of a row",
        )
        subparser.add_argument(
            "--text",
            default="",
            help="columns of text to read in place of features, with commas between: title,body",
        )
        subparser.add_argument("--delimiter", help="the mark between labels in a cell, such as ';'")
        subparser.add_argument(
            "--separator", help="the mark between cells of CSV and TSV, by default the likeliest"
        )
        subparser.add_argument(
            "--decimal", choices=(".", ","), help="the mark before decimals in CSV and TSV"
        )
        subparser.add_argument("--encoding", help="of the text of a table, by default utf-8")
        for name in ("token", "tag"):
            subparser.add_argument(
                f"--{name}-column", type=int, help=f"column of the {name}, from 0"
            )
        subparser.add_argument(
            "--trees",
            action="store_true",
            help="parse the dependency trees of CoNLL-U, in place of its parts of speech",
        )
        subparser.add_argument(
            "--foreground", type=int, nargs="+", default=[], help="values of masks that are on"
        )
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    hide_parameters()
    output = arguments.output
    parts = parts_of(arguments.path)
    if output.exists() and not arguments.force:
        raise ValueError(
            f"Expected no file at {output}, got one; choose another --output, or --force."
        )
    options = Options(
        [name.strip() for name in arguments.labels.split(",") if name.strip()],
        arguments.delimiter,
        arguments.token_column,
        arguments.tag_column,
        arguments.foreground,
        arguments.separator,
        arguments.decimal,
        arguments.encoding,
        [name.strip() for name in arguments.text.split(",") if name.strip()],
        arguments.trees,
    )
    found = inspect_path(parts["train"], options)
    check_method(found.task, arguments.method)
    table = table_of(found, parts)
    config_of(found.task, arguments.method, table)  # raises for what the library does not take
    text = config_text(arguments.method, found, table, arguments.path)
    output.write_text(text)
    lines = [("task", found.task.replace("_", " ")), *parts.items(), *found.facts]
    width = max(len(name) for name, _ in lines) + 2
    for name, value in lines:
        sys.stdout.write(f"{name.ljust(width)}{value}\n")
    for warning in found.warnings:
        sys.stdout.write(f"! {warning}\n")
    sys.stdout.write(
        f"\nWrote {output}. Next: allennlp check {output}, or "
        f"allennlp train {output} -s runs/{output.stem}\n"
    )


def table_of(found: Found, parts: Dict[str, str]) -> Dict[str, Any]:
    """Return the table of a data set, as the library takes it."""
    return {**parts, "reader": found.reader, **found.settings}


def config_text(method: str, found: Found, table: Dict[str, Any], path: str) -> str:
    """Return a config that is one call of the library."""
    facts = "; ".join(f"{name}: {value}" for name, value in found.facts[:2])
    comment = f"// {path}: {facts}"
    lines = [
        comment if len(comment) <= 98 else f"{comment[:97]}…",
        f"local se = import 'structured_energy/{found.task}.libsonnet';",
        "",
        f"se.{method}({{",
    ]
    for key, value in table.items():
        lines.append(f"  {key}: {as_jsonnet(value)},")
        if key == "train" and "validation" not in table:
            lines[-1] += "  // a tenth validates, where there is no key `validation`"
    trainer = config_of(found.task, method, table)["trainer"]
    phases = {"start_epoch", "stop_epoch", "epochs"}
    if not any(phases & set(each) for each in trainer.get("networks", {}).values()):
        lines.append(f"  num_epochs: {trainer['num_epochs']},")  # otherwise those of several phases
    return "\n".join([*lines, "})", ""])


def as_jsonnet(value: Any) -> str:
    """Return a value as Jsonnet on one line.

    >>> as_jsonnet({"type": "table", "labels": ["it's", "b"], "on": True})
    "{ type: 'table', labels: ['it\\\\'s', 'b'], on: true }"
    """
    if isinstance(value, dict):
        items = [f"{_key(key)}: {as_jsonnet(each)}" for key, each in value.items()]
        return f"{{ {', '.join(items)} }}" if items else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(as_jsonnet, value))}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return _text(value)
    return repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else _text(name)


def _text(text: str) -> str:
    escaped: List[str] = [
        {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c, c) for c in text
    ]
    return f"'{''.join(escaped)}'"
