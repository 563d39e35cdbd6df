"""Makes an environment of this Python with the pinned packages and this package, editable.

    python3.13 scripts/environment.py .venv-3.13 [--torch 2.15.0] [--pins requirements-newest.txt]

Uses the standard library only. `--uv uv` installs with uv, which shares the files of environments.
"""

import argparse
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parent.parent
PINS = ["requirements.txt", "requirements-dev.txt"]


def pinned_torch(pins: str) -> str:
    """Return the release of torch that a file of pins is made for."""
    return re.findall(r"^# torch==([\d.]+)$", (ROOT / pins).read_text(), flags=re.M)[0]


def make(folder: Path, torch: str, pins: List[str], uv: str = "") -> None:
    """Make the environment, from nothing."""
    venv.create(folder, clear=True, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if uv:
        pip = [uv, "pip", "install", "--quiet", "--no-config", "--python", str(python)]

    def install(*arguments: str) -> None:
        subprocess.run([*pip, *arguments], cwd=ROOT, check=True)

    install(f"torch=={torch}")
    install("--no-deps", *(part for name in pins for part in ("-r", name)))
    install("--no-deps", "--no-build-isolation", "-e", ".")


def main() -> None:
    """Make the environment that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--torch", help="default: the one that the pins are made for")
    parser.add_argument("--pins", nargs="+", default=PINS)
    parser.add_argument("--uv", default="")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11, 5):
        raise SystemExit(f"Expected Python 3.11.5 or later, got {sys.version.split()[0]}.")
    torch = arguments.torch or pinned_torch(arguments.pins[0])
    make(arguments.folder, torch, arguments.pins, arguments.uv)


if __name__ == "__main__":
    main()
