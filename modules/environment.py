"""What a run was made with: written when it starts, and again each time it goes on."""

import json
import platform
import subprocess
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch

from .atomic_files import write_atomically

FILE = "environment.json"
PACKAGES = ("structured-energy", "allennlp", "torch", "numpy", "scikit-learn", "transformers")


def environment_of(device: torch.device) -> Dict[str, Any]:
    """The time, the command, the versions, the device, and the commit of the repository of the
    working folder, where there is one."""
    where = str(device)
    if device.type == "cuda":
        where = f"{where}, {torch.cuda.get_device_name(device)}"
    return {
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": where,
        "threads": torch.get_num_threads(),
        "packages": {name: _version(name) for name in PACKAGES},
        "git": git_state(Path.cwd()),
    }


def record_environment(folder: Path, device: torch.device) -> None:
    """Adds what is here now to `environment.json` in the folder of a run."""
    starts = [*read_environment(folder), environment_of(device)]
    write_atomically(folder / FILE, json.dumps(starts, indent=1) + "\n")


def read_environment(folder: Path) -> List[Dict[str, Any]]:
    """What a run was started with, and each time that it went on; nothing where it was not
    written."""
    path = folder / FILE
    return json.loads(path.read_text()) if path.exists() else []


def git_state(folder: Path) -> Optional[Dict[str, Any]]:
    """The commit of the repository that holds the folder, and whether its files have been changed
    since; `None` where there is no repository, or no git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": None if status is None else bool(status)}


def _git(folder: Path, *arguments: str) -> Optional[str]:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> Optional[str]:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
