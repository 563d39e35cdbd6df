"""Writes the pinned environments, `requirements*.txt`, from pyproject.toml.

    python scripts/lock.py [--upgrade]

One set of pins serves every supported Python, with markers where releases differ. A pin changes
only where pyproject.toml asks for it; `--upgrade` takes the newest releases. torch and its CUDA
packages are left out, for CPU and CUDA builds differ: it is installed first. So is torchvision,
which few configs use.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OLDEST_PYTHON = PROJECT["project"]["requires-python"].removeprefix(">=")
TORCH = re.compile(r"torch==([\d.]+)")
WITH_TORCH = re.compile(r"(torch|torchvision|triton|cuda-[\w-]+|nvidia-[\w-]+)(\[.*\])?==")
ALLENNLP = "allennlp==2.10.1"
# The newest releases that are tried: instead of the pins of pyproject.toml.
NEWEST = {
    "torch": ">=2.15",
    "torchvision": "",
    "transformers": ">=5.24,<6",
    "tokenizers": "",
    "huggingface-hub": ">=2,<3",
    "rich": "",
}
HEADERS = {
    "requirements.txt": (
        "What this package and AllenNLP need to run, pinned. Install the torch below first, then\n"
        "`pip install --no-deps -r requirements.txt`: AllenNLP's own caps are stale."
    ),
    "requirements-dev.txt": (
        "What the tests, the checks, the documentation and the extras need beside\n"
        "requirements.txt, pinned."
    ),
    "requirements-overrides.txt": (
        "What replaces the stale caps that AllenNLP declares:\n"
        "`uv pip install --override requirements-overrides.txt . allennlp==2.10.1`."
    ),
    "requirements-newest.txt": (
        "The newest releases with which `make matrix` runs the quick tests: runtime and tests."
    ),
}


def resolve(arguments: List[str], overrides: Dict[str, str], before: List[str]) -> List[str]:
    """Return the pins of pyproject.toml's requirements; torch's is a comment, the first line.

    `before` are pins that stay where nothing asks for another version.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text("".join(f"{line}\n" for line in before if line[0] != "#"))
        options = ["--universal", "--python-version", OLDEST_PYTHON, "--quiet"]
        options += ["--no-annotate", "--no-header", "--no-strip-extras", "--output-file", str(pins)]
        if overrides:
            extra = Path(folder, "overrides.txt")
            extra.write_text("".join(f"{name}{wanted}\n" for name, wanted in overrides.items()))
            options += ["--no-config", "--override", str(extra)]
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml"]
        subprocess.run([*command, *options, *arguments], cwd=ROOT, check=True)
        lines = pins.read_text().splitlines()
    torch = next(line for line in lines if TORCH.match(line))
    return [f"# {torch}", *(line for line in lines if not WITH_TORCH.match(line))]


def pins_of(name: str) -> List[str]:
    """Return the pins that a file has now."""
    path = ROOT / name
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def write(name: str, lines: List[str]) -> None:
    """Write a file of pins with its header."""
    header = [f"# {line}" for line in HEADERS[name].splitlines()]
    header.append("# Written by `make lock` from pyproject.toml.")
    (ROOT / name).write_text("".join(f"{line}\n" for line in [*header, *lines]))
    print(f"{name}: {sum(line[0] != '#' for line in lines)} pins")


def newest_overrides() -> Dict[str, str]:
    """Return the overrides of pyproject.toml with `NEWEST` in their place."""
    overrides: Dict[str, str] = {}
    for line in PROJECT["tool"]["uv"]["override-dependencies"]:
        name, wanted = re.fullmatch(r"([\w.-]+)(.*)", line).groups()
        overrides[name] = wanted
    return {**overrides, **NEWEST}


def main() -> None:
    """Write the four files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest releases")
    upgrade = parser.parse_args().upgrade
    before = [] if upgrade else [*pins_of("requirements.txt"), *pins_of("requirements-dev.txt")]
    everything = ["--group", "allennlp", "--group", "dev", "--all-extras"]
    whole = resolve(everything, {}, before)
    # AllenNLP without what it declares: pyproject.toml names what it needs.
    runtime = [*resolve([], {}, whole), ALLENNLP]
    write("requirements.txt", sorted(runtime))
    write("requirements-dev.txt", sorted(set(whole) - set(runtime)))
    write("requirements-overrides.txt", PROJECT["tool"]["uv"]["override-dependencies"])
    newest = [] if upgrade else pins_of("requirements-newest.txt")
    write("requirements-newest.txt", resolve(everything, newest_overrides(), newest))


if __name__ == "__main__":
    main()
