"""The wheel, the plugin file, and what the README says to run."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import structured_energy
from structured_energy.configs import LIBRARY

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for path in (ROOT / "modules").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            target = source / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_is_structured_energy_and_nothing_called_modules(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    sources = {str(p.relative_to(ROOT / "modules")) for p in (ROOT / "modules").rglob("*.py")}
    assert {f"structured_energy/{name}" for name in sources} <= set(names)
    assert "structured_energy/py.typed" in names
    assert {"structured_energy_hook.pth", "structured_energy_hook.py"} <= set(names)
    library = {path.relative_to(ROOT / "modules") for path in LIBRARY.iterdir()}
    assert len(library) > 10 and {f"structured_energy/{path}" for path in library} <= set(names)
    assert not any(name.startswith(("modules", "tests")) for name in names)


def test_the_installed_wheel_is_found_by_allennlp(wheel, tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "-t",
            str(tmp_path),
            str(wheel),
        ],
        check=True,
        capture_output=True,
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import structured_energy as s; "
        "from allennlp.models import Model; print(s.__file__, Model.by_name('structured-energy'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert str(tmp_path) in result.stdout


def test_the_source_folder_is_not_a_package_of_that_name():
    result = subprocess.run(
        [sys.executable, "-c", "import modules"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "This is the package 'structured_energy'" in result.stderr


def test_plugins_and_requirements():
    assert (ROOT / ".allennlp_plugins").read_text().split() == ["structured_energy"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.match(r"[\w.-]+(\[\w+\])?==[\w.]+( ; .*)?$", line) for line in pins)
    assert {"allennlp==2.10.1", "transformers==4.48.3", "tokenizers==0.21.4"} <= set(pins)


def test_the_readme_s_commands_exist():
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert {"demo", "test"} <= set(re.findall(r"make (\w+)", readme)) <= targets
    for path in re.findall(
        r"`((?:modules|training_configs|scripts|benchmarks|experiments|tests|examples)/[\w./-]*)`",
        readme,
    ):
        assert (ROOT / path).exists(), path


def test_the_version_is_that_of_the_metadata_and_of_the_changelog():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert structured_energy.__version__ == project["version"]
    released = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert released[0] == project["version"]
