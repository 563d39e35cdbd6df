"""The declared dependencies are enough to import every module, and the pins fit them."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from environment import pinned_torch
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ALLENNLP = "allennlp==2.10.1"  # installed without what it declares
# The folder of the package that needs an extra to be imported; other extras are imported lazily.
NEEDS = {"testing": "structured_energy.testing"}
# Imports the modules of the package, without the top-level packages in sys.argv[2:].
IMPORT_ALL = """
import importlib, pkgutil, sys

class WithoutMissing:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in sys.argv[2:]:
            return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(WithoutMissing, sys.meta_path)
import structured_energy
for module in pkgutil.walk_packages(structured_energy.__path__, "structured_energy."):
    if sys.argv[1] == "all" or not module.name.startswith(sys.argv[1]):
        importlib.import_module(module.name)
"""


def names(requirements):
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def pins():
    """The pins that this Python installs."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if not line.startswith("#"):
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate():
                    yield requirement


def closure(requirements):
    """The names of all distributions that come with the requirements."""
    done, left = set(), [Requirement(text) for text in requirements]
    while left:
        requirement = left.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in done:
            continue
        done.add(key)
        try:
            below = distribution(requirement.name).requires or []
        except PackageNotFoundError:  # of another platform, such as a CUDA library
            continue
        extras = ["", *requirement.extras]
        for each in map(Requirement, below):
            if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in extras):
                left.append(each)
    return {name for name, _ in done}


def imported(path):
    """The top-level packages that a file imports, outside the standard library."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found = [node.module]
        else:
            continue
        yield from {name.partition(".")[0] for name in found} - sys.stdlib_module_names


def test_every_import_is_of_a_declared_dependency():
    extras = (text for extra in EXTRAS.values() for text in extra)
    declared = names([ALLENNLP, *PROJECT["dependencies"], *extras])
    providers = packages_distributions()
    for path in sorted((ROOT / "modules").rglob("*.py")):
        for package in imported(path):
            found = {canonicalize_name(name) for name in providers.get(package, [package])}
            assert found & declared, (
                f"{path.relative_to(ROOT)} imports {package} of {sorted(found)}"
            )


@pytest.mark.parametrize("extra", [None, *NEEDS])
def test_all_modules_are_imported_with_the_declared_dependencies_only(extra):
    present = closure([*PROJECT["dependencies"], *(EXTRAS[extra] if extra else [])])
    present |= names([ALLENNLP])  # and nothing that it declares beside
    missing = [
        package
        for package, providers in packages_distributions().items()
        if not {canonicalize_name(name) for name in providers} & {*present, "structured-energy"}
    ]
    assert {"hypothesis", "spacy", "fairscale"} <= set(missing)  # or nothing is left out
    skipped = "all" if extra else NEEDS["testing"]
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, skipped, *missing],
        capture_output=True,
        text=True,
        cwd=ROOT / "tests",
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]


def test_the_pythons_that_are_supported_can_install_the_pins():
    required = SpecifierSet(PROJECT["requires-python"])
    (least,) = [each.version for each in required if each.operator == ">="]
    (pinned,) = [pin for pin in pins() if pin.name == "transformers"]
    if distribution("transformers").version not in pinned.specifier:
        pytest.skip("the newest releases are installed, not the pins")
    for pin in pins():
        wanted = SpecifierSet(distribution(pin.name).metadata["Requires-Python"] or "")
        for python in (least, "3.12.1", "3.13.0"):
            assert python in wanted, f"{pin} needs Python {wanted}, got {python}"


def test_the_pins_are_of_the_declared_dependencies():
    pinned = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in pins()}
    assert {"torch", "torchvision"}.isdisjoint(pinned)  # CPU and CUDA builds differ
    extras = (text for extra in EXTRAS.values() for text in extra)
    for requirement in map(Requirement, [ALLENNLP, *PROJECT["dependencies"], *extras]):
        name = canonicalize_name(requirement.name)
        if name not in ("torch", "torchvision"):
            version = pinned.get(name)
            assert version in requirement.specifier, f"{requirement}, got the pin {version}"


def test_the_metadata_do_not_name_allennlp():
    assert "allennlp" not in names(PROJECT["dependencies"])
    assert "allennlp" not in {name for extra in EXTRAS.values() for name in names(extra)}


def test_locks_are_those_of_pyproject():
    """What the lock command resolves with is what the files were made for."""
    overrides = map(
        Requirement,
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["override-dependencies"],
    )
    wanted = {canonicalize_name(each.name): each.specifier for each in overrides}
    assert wanted["torch"] == SpecifierSet("==" + pinned_torch("requirements.txt"))
    for pin in pins():
        version = str(pin.specifier)[2:]
        assert version in wanted.get(canonicalize_name(pin.name), SpecifierSet()), pin
