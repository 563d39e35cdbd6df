"""Writes the wheels that a GPU machine without a network lacks, for Python 3.12 on Linux: `bundle`.

    python scripts/bundle.py [--folder bundle]

Beside them the machine needs torch 2.11 or later (CUDA), transformers, numpy, scipy, scikit-learn,
matplotlib and the packages that come with these. `gpu_check.sh` installs the bundle and tests.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.12"
# The platforms of its wheels, on x86-64.
PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
# What AllenNLP and this package import and few machines have.
NEEDED = [
    "allennlp",
    "base58",
    "cached-path",
    "dill",
    "jsonnet",
    "lmdb",
    "more-itertools",
    "platformdirs",
    "pooch",
    "termcolor",
]
# What many have: installed only where it is absent.
FALLBACKS = [
    "filelock",
    "iniconfig",
    "liac-arff",
    "markdown-it-py",
    "mdurl",
    "packaging",
    "pluggy",
    "pygments",
    "pytest",
    "requests",
    "rich",
    "tqdm",
]


def pins() -> Dict[str, str]:
    """Return the pinned packages by name."""
    found: Dict[str, str] = {}
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            match = re.match(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", line)
            if match:
                found[match[1]] = f"{match[1]}=={match[2]}"
    return found


def download(names: List[str], folder: Path) -> None:
    """Download the pinned wheels; a package without one is built, which must be pure Python."""
    pinned = pins()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--only-binary", ":all:", "--python-version", PYTHON, "--implementation", "cp"]
    for platform in PLATFORMS:
        options += ["--platform", platform]
    wanted = [pinned[name] for name in names if name != "liac-arff"]
    command = [*pip, "download", "--quiet", "--no-deps", *options, "--dest", str(folder), *wanted]
    subprocess.run(command, check=True)
    if "liac-arff" in names:
        command = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder)]
        subprocess.run([*command, pinned["liac-arff"]], check=True)


def main() -> None:
    """Write the bundle and say its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "bundle")
    folder = parser.parse_args().folder
    shutil.rmtree(folder, ignore_errors=True)
    absent = folder / "if-absent"
    absent.mkdir(parents=True)
    download(NEEDED, folder)
    download(FALLBACKS, absent)
    own = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*own, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
    for part in (folder, absent):
        wheels = sorted(part.glob("*.whl"))
        size = sum(wheel.stat().st_size for wheel in wheels)
        print(f"{part}: {len(wheels)} wheels, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
