"""The rules of the code that a program can check."""

import ast
import re
from pathlib import Path

import pytest
from code_meaning import Code

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "modules"
FILES = sorted(MODULES.rglob("*.py"))
# What may import what: a part may import itself and those before it.
LAYERS = [
    {"startup"},
    {"untrusted"},
    {
        "encoded",
        "gradients",
        "logged_values",
        "masks",
        "random_bits",
        "unchanged",
        "old_configs",
        "package_files",
        "settings",
        "atomic_files",
        "workers",
    },
    {"configs"},
    {"logging", "compatibility", "environment", "vocabulary", "span_encodings", "feature_scaling"},
    {"taxonomy", "dependency_trees"},
    {"encoders", "output_spaces", "networks", "sampler_output"},
    {"data", "metrics", "projection"},
    {"oracle_values", "task_networks", "score_networks"},
    {"losses"},
    {"samplers"},
    {"decoders"},
    {"evaluations"},
    {"models"},
    {"predictors", "training", "reporting"},
    {"sweeps"},
    {"callbacks", "commands"},
    {"api"},
    {"testing", "__main__"},
]


# Functions that do not make an output of logits, with what they make.
ALLOWED = {
    ("decoders/draws.py", "softmax"): "the weights of draws",
    ("dependency_trees/draws.py", "softmax by hand"): "the weights of arcs in a determinant",
    ("projection.py", "log_softmax"): "the relation given its head, in the logits of arcs",
    ("losses/expected_cost.py", "softmax by hand"): "the weights of samples",
    ("losses/value_regression.py", "expit"): "a value between 0 and 1 of a score",
    ("samplers/gibbs_with_gradients.py", "Categorical"): "the proposal of a move",
    ("score_networks/chain.py", "softmax"): "draws of whole sequences from their messages",
    ("score_networks/structured_scores/conditional.py", "masked_softmax"): "attention to labels",
}
# Sums whose positions are those of neighbours, not of an output.
ALLOWED_SUMS = {"losses/pseudo_likelihood.py"}


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
            for name in full[:1] if full[0] else [alias.name for alias in node.names]:
                yield name, node.lineno
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


def test_what_an_output_space_decides_stands_in_output_spaces():
    used = set()
    for path in FILES:
        if part_of(path) in ("output_spaces", "metrics", "data", "testing", "compatibility"):
            continue
        for line, what in Code(path.read_text()).outputs():
            use = (str(path.relative_to(MODULES)), what)
            used.add(use)
            assert use in ALLOWED, f"{relative(path)}, line {line}: {what}"
    assert used == set(ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        "y = logits.sigmoid()",
        "y = torch.sigmoid(logits)",
        "from torch.nn.functional import softmax as normal\ny = normal(logits, -1)",
        "import torch.nn.functional as f\nlog_prob = f.logsigmoid(logits)",
        "act = torch.special.expit\ny = act(logits)",
        "y = getattr(torch, 'softmax')(logits, -1)",
        "y = torch.nn.Softmax(-1)(logits)",
        "y = (a - a.logsumexp(1)).exp()",
        "y = torch.exp(a - torch.logsumexp(a, dim=1))",
        "def f(a):\n    b = a.logsumexp(1)\n    log_prob = a - b\n    return log_prob.exp()",
        "y = a.exp() / a.exp().sum(1)",
        "def f(a):\n    e = torch.exp(a)\n    return e / e.sum(1, keepdim=True)",
        "y = 1 / (1 + torch.exp(-a))",
        "y = torch.nn.functional.one_hot(tags, 3)",
        "y = torch.distributions.Categorical(logits=a).sample()",
        "y = round(x)",
        "z = y.clamp(0, 1)",
        "z = torch.clamp(sample.y, min=0)",
        "z = torch.clip(y[:, 0], 0, 1)",
        "z = (2 * y).clamp_min(0)",
    ],
)
def test_outputs_are_found_however_they_are_made(text):
    assert list(Code(text).outputs())


@pytest.mark.parametrize(
    "text",
    [
        "loss = total - a.logsumexp(1)",
        "margin = margin.clamp(min=0)",
        "speed = count / (1 + seconds)",
        "softmax = 3  # a name of one's own",
        '"""The softmax of the logits."""',
    ],
)
def test_other_code_makes_no_outputs(text):
    assert not list(Code(text).outputs())


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_constructors_and_forwards_take_no_kwargs(path):
    if part_of(path) in ("compatibility", "startup"):  # they have the signatures of others
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


def test_positions_are_summed_by_the_output_space():
    found = {}
    for path in FILES:
        if part_of(path) in ("losses", "samplers", "oracle_values", "models"):
            sums = list(Code(path.read_text()).masked_sums())
            found.update({str(path.relative_to(MODULES)): sums} if sums else {})
    assert found.keys() == ALLOWED_SUMS, found


@pytest.mark.parametrize(
    "text",
    [
        "loss = (mask * loss).sum(2)",
        "loss *= mask",
        "loss = torch.sum(loss * self.mask.unsqueeze(1), dim=2)",
        "loss = loss.mul(mask.float()).mean()",
        "loss = loss.masked_fill(~mask, 0.0).sum()",
        "def f(x, mask):\n    real = torch.where(mask, x, 0.0)\n    return real.sum(1)",
        "def f(x, mask):\n    real = mask.flatten(1)\n    return (x * real).sum(1)",
        "loss = loss[mask].sum()",
        "from torch import sum as total\nloss = total(x.masked_fill(~mask, 0), 1)",
    ],
)
def test_masked_sums_are_found_however_they_are_made(text):
    assert list(Code(text).masked_sums())


@pytest.mark.parametrize(
    "text", ["x = x.masked_fill(~mask, 0)", "n = mask.sum()", "x = (w * loss).sum()"]
)
def test_other_sums_have_no_mask(text):
    assert not list(Code(text).masked_sums())


def test_tests_mirror_the_package():
    for folder in ("losses", "metrics", "data", "models", "training"):
        assert list((ROOT / "tests" / folder).glob("test_*.py")), folder
