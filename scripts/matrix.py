"""Runs the quick tests on every Python found, on the newest releases, and the install of a wheel.

    python scripts/matrix.py [--only 3.12 3.13 newest wheel]

Each Python from 3.11 on that this machine has (on the PATH or in pyenv) gets the pinned packages;
the latest of them also the newest releases of torch and transformers. Environments are made where
they are missing or older than their pins: `.venv-3.13`, `.venv-3.13-newest`. The exit status is 1
if a part fails.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Tuple

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ["3.11", "3.12", "3.13", "3.14"]
# The suite that meets every library: readers, samplers, losses, commands, patches, transformers.
QUICK = [
    "tests/test_logging.py",
    "tests/test_commands.py",
    "tests/test_compatibility.py",
    "tests/test_dependencies.py",
    "tests/test_packaging.py",
    "tests/test_untrusted.py",
    "tests/data",
    "tests/losses",
    "tests/models/test_transformers.py",
    "tests/samplers",
    "tests/training/test_minimax.py",
]
PINS = {
    "pinned": ["requirements.txt", "requirements-dev.txt"],
    "newest": ["requirements-newest.txt"],
}
Row = Tuple[str, str, str, float]


def pythons() -> Dict[str, str]:
    """Return the interpreters of this machine by version."""
    found: Dict[str, str] = {}
    for version in VERSIONS:
        candidates = [shutil.which(f"python{version}") or ""]
        candidates += map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))
        for python in filter(None, candidates):
            code = (
                "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info >= (3, 11, 5))"
            )
            result = subprocess.run(
                [python, "-c", code], capture_output=True, text=True, check=False
            )
            if result.stdout.split() == [version, "True"]:
                found[version] = python
                break
    return found


def environment(python: str, version: str, pins: str) -> Path:
    """Return the Python of an environment, made if it is missing or older than its pins."""
    folder = ROOT / (f".venv-{version}" + ("" if pins == "pinned" else f"-{pins}"))
    stamp = folder / ".ready"
    sources = [ROOT / name for name in (*PINS[pins], "pyproject.toml", "setup.py")]
    if not stamp.exists() or stamp.stat().st_mtime < max(p.stat().st_mtime for p in sources):
        command = [python, "scripts/environment.py", str(folder), "--pins", *PINS[pins]]
        uv = shutil.which("uv") or shutil.which(str(ROOT / ".venv" / "bin" / "uv"))
        subprocess.run(command + (["--uv", uv] if uv else []), cwd=ROOT, check=True)
        stamp.touch()
    return folder / "bin" / "python"


def run(python: Path, what: List[str], **variables: str) -> Tuple[str, float]:
    """Return the last line of a command, which says how the tests ended, and its seconds.

    A failure shows the end of what the command printed.
    """
    start = time.perf_counter()
    result = subprocess.run(
        [str(python), *what],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    lines = result.stdout.strip().splitlines() or [""]
    if result.returncode:
        print("\n".join(lines[-60:]), flush=True)
        return f"failed: {lines[-1]}"[:70], seconds
    counts = re.search(r"\d+ passed.*(?= in )", lines[-1])
    return counts[0] if counts else "passed", seconds


def quick_tests(python: Path) -> Tuple[str, float]:
    """Return how the demo and the quick tests ended, and their seconds."""
    with tempfile.TemporaryDirectory() as folder:
        demo, first = run(python, ["scripts/demo.py", "--serialization-dir", f"{folder}/demo"])
    options = ["-m", "pytest", "-n", "2", "--dist", "worksteal", "-q", "-p", "no:cacheprovider"]
    tests, second = run(python, [*options, *QUICK])
    return (tests if demo == "passed" else f"demo {demo}; {tests}"), first + second


def show(rows: List[Row]) -> None:
    """Print the table."""
    for python, packages, result, seconds in [("Python", "packages", "result", 0.0), *rows]:
        end = f"{seconds:7.0f} s" if seconds else "time".rjust(9)
        print(f"{python:8} {packages:10} {end}  {result}")


def main() -> None:
    """Run the parts that the command line names, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[*VERSIONS, "newest", "wheel"])
    only = parser.parse_args().only or [*VERSIONS, "newest", "wheel"]
    found = pythons()
    if not found:
        raise SystemExit(f"Expected a Python among {', '.join(VERSIONS)}, got none.")
    jobs = [(version, "pinned") for version in VERSIONS if version in only]
    latest = max(found, key=VERSIONS.index)
    jobs += [(latest, pins) for pins in ("newest", "wheel") if pins in only]
    rows: List[Row] = []
    for version, packages in jobs:
        if version not in found:
            rows.append((version, packages, "not tested: no such Python here", 0.0))
            continue
        print(f"Python {version} ({found[version]}), {packages} …", flush=True)
        try:
            if packages == "wheel":
                python = environment(found[version], version, "pinned")
                tests = ["-m", "pytest", "-q", "tests/test_install.py"]
                result, seconds = run(python, tests, INSTALL="1")
            else:
                result, seconds = quick_tests(environment(found[version], version, packages))
        except subprocess.CalledProcessError as error:
            result, seconds = f"failed: {error}"[:70], 0.0
        rows.append((version, packages, result, seconds))
    show(rows)
    sys.exit(any("failed" in result for *_, result, _ in rows))


if __name__ == "__main__":
    main()
