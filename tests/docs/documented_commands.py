"""Checks of commands that are not executed: the program exists and accepts the arguments."""

import argparse
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest import mock

from allennlp.commands import parse_args as parse_allennlp

ROOT = Path(__file__).resolve().parents[2]
# Programs that set up an environment, or watch a run; only some of their arguments are checked.
SETUP = ("make", "pip", "uv", "git", "source", "tensorboard", "sbatch", "torchrun")
PUBLISHED = (
    r"training_configs/(tagging|segmentation|multi_label_text|multi_label/(?!digits))|data://"
)
RECORD = """#!{python}
import json, sys
with open({file!r}, "a") as file:
    print(json.dumps([{name!r}, *sys.argv[1:]]), file=file)
"""


class Accepted(Exception):
    """The parser accepted the arguments."""


def why_not_executed(text):
    """The reason not to execute a block of commands, or an empty string."""
    if re.search(rf"^\s*({'|'.join(SETUP)})\b", text, flags=re.MULTILINE):
        return "it sets up an environment"
    return "it needs published data" if re.search(PUBLISHED, text) else ""


def recorded(text, folder):
    """The arguments of each command of a block; bash expands them, nothing is executed."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "record.jsonl"
    record.write_text("")
    for name in ("python", "allennlp", *SETUP):
        stub = folder / name
        stub.write_text(RECORD.format(python=sys.executable, file=str(record), name=name))
        stub.chmod(0o755)
    result = subprocess.run(
        ["bash", "-euc", "source() { :; }\n" + text],
        cwd=folder.parent,
        env={**os.environ, "PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{text}\n{result.stderr}"
    return [json.loads(line) for line in record.read_text().splitlines()]


def check_program(arguments):
    """A Python program accepts the arguments: it is started up to its `parse_args`."""

    def parse(parser, args=None, namespace=None):
        parse_args(parser, args, namespace)
        raise Accepted

    parse_args = argparse.ArgumentParser.parse_args
    is_module = arguments[0] == "-m"
    program = arguments[1] if is_module else str(ROOT / arguments[0])
    rest = arguments[2:] if is_module else arguments[1:]
    run = runpy.run_module if is_module else runpy.run_path
    with (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse),
        mock.patch.object(sys, "argv", ["program", *rest]),
        mock.patch.object(sys, "path", [str(ROOT), *sys.path]),
    ):
        try:
            run(program, run_name="__main__")
        except Accepted:
            return
        except (SystemExit, ImportError, OSError) as error:
            raise AssertionError(f"{' '.join(arguments)}: {error!r}") from error
    raise AssertionError(f"{' '.join(arguments)} parses no arguments")


def check_allennlp(arguments):
    """A command of `allennlp` accepts the arguments, and the configs are there."""
    with mock.patch.object(sys, "argv", ["allennlp", *arguments]):
        try:
            parse_allennlp("allennlp")
        except SystemExit as error:
            raise AssertionError(f"allennlp {' '.join(arguments)}") from error
    for argument in arguments:
        if argument.startswith("training_configs/"):
            assert (ROOT / argument).exists(), argument


def check_packages(arguments):
    """A package of `pip` and `uv` is ours with extras that exist, or has the pin of the project."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    files = [*ROOT.glob("requirements*.txt"), ROOT / "scripts" / "environment.py"]
    pins = "".join(file.read_text() for file in files)
    for word in arguments:
        if name := re.fullmatch(r"structured-energy(?:\[([\w,-]+)\])?", word):
            known = extras["optional-dependencies"].keys()
            assert set((name[1] or "").split(",")) <= {"", *known}, word
        elif "==" in word:
            assert word in pins, word
        elif re.fullmatch(r"[a-z][a-z-]+", word):
            assert word in ("install", "pip", "venv", "sync", "run"), word


def check_commands(text, folder):
    """Every command of a block is one that a user can run."""
    commands = recorded(text, folder)
    assert commands
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    for name, *arguments in commands:
        if name == "make":
            assert {word for word in arguments if "=" not in word} <= targets, arguments
        elif name == "python":
            check_program(arguments)
        elif name == "allennlp":
            check_allennlp(arguments)
        elif name in ("pip", "uv"):
            check_packages(arguments)
