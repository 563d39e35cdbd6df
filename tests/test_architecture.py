"""The rules of the code that a program can check."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "modules"
FILES = sorted(MODULES.rglob("*.py"))
# What may import what: a part may import itself and those before it.
LAYERS = [
    {"encoded", "logged_values", "masks", "old_configs", "settings", "atomic_files", "workers"},
    {"logging", "compatibility", "environment", "vocabulary", "untrusted", "span_encodings"},
    {"encoders", "output_spaces", "networks", "sampler_output"},
    {"data", "metrics", "projection"},
    {"oracle_values", "task_networks", "score_networks"},
    {"losses"},
    {"samplers"},
    {"models"},
    {"predictors", "training", "reporting"},
    {"callbacks", "commands"},
    {"testing"},
]


# The attention of a label to others: over labels, whatever an output is.
ATTENTION = {"score_networks/structured_scores/conditional.py": "softmax"}


def part_of(path):
    return path.relative_to(MODULES).parts[0].removesuffix(".py")


def layer_of(part):
    return next(i for i, layer in enumerate(LAYERS) if part in layer)


def imports_of(path):
    """The parts of the package that a file imports, with its line."""
    package = path.relative_to(MODULES).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            full = (*base, *(node.module or "").split("."))
            yield full[0], node.lineno
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            module = getattr(node, "module", None) or names[0]
            assert not module.startswith(("structured_energy", "modules")), (
                f"{path}, line {node.lineno}: imports inside the package are relative"
            )


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_dependencies_point_one_way(path):
    if path == MODULES / "__init__.py":
        return
    part = part_of(path)
    for imported, line in imports_of(path):
        assert imported == part or layer_of(imported) < layer_of(part), (
            f"{relative(path)}, line {line}: {part} imports {imported}"
        )


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_what_an_output_space_decides_stands_in_output_spaces(path):
    if part_of(path) in ("output_spaces", "metrics", "data", "testing", "compatibility"):
        return
    text = path.read_text().replace(ATTENTION.get(str(path.relative_to(MODULES)), "\0"), "")
    pattern = r"sigmoid|softmax|one_hot|bernoulli|multinomial|y\.clamp|round\("
    for number, line in enumerate(text.splitlines(), 1):
        assert not re.search(pattern, line.split("#")[0]), f"{relative(path)}, line {number}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_constructors_and_forwards_take_no_kwargs(path):
    if part_of(path) == "compatibility":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        # `from_params` is a hook of AllenNLP, which hands extras down through it.
        if isinstance(node, ast.FunctionDef) and node.name != "from_params":
            assert node.args.kwarg is None, f"{relative(path)}, line {node.lineno}: {node.name}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_files_are_short_and_finished(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert not re.search(r"TODO|FIXME|XXX|NotImplementedError|breakpoint\(", text)
    assert ast.get_docstring(ast.parse(text))


def test_one_masked_reduction():
    for path in FILES:
        if part_of(path) in ("losses", "samplers", "oracle_values", "models"):
            assert "mask *" not in path.read_text(), relative(path)
            assert "* mask" not in path.read_text(), relative(path)


def test_tests_mirror_the_package():
    for folder in ("losses", "metrics", "data", "models", "training"):
        assert list((ROOT / "tests" / folder).glob("test_*.py")), folder
