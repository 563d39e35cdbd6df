"""The versions, device and command of a run, recorded whenever it starts or resumes."""

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
    """Return the time, the command, the versions, the device, and the state of the repository of
    the working folder."""
    device_name = str(device)
    if device.type == "cuda":
        device_name = f"{device_name}, {torch.cuda.get_device_name(device)}"
    return {
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device_name,
        "threads": torch.get_num_threads(),
        "packages": {name: _version(name) for name in PACKAGES},
        "git": git_state(Path.cwd()),
    }


def record_environment(folder: Path, device: torch.device) -> None:
    """Append the current environment to `environment.json` in the folder of a run."""
    starts = [*read_environment(folder), environment_of(device)]
    write_atomically(folder / FILE, json.dumps(starts, indent=1) + "\n")


def read_environment(folder: Path) -> List[Dict[str, Any]]:
    """Return the environment of each start of a run, the first one first; an empty list if none is
    recorded."""
    path = folder / FILE
    return json.loads(path.read_text()) if path.exists() else []


def git_state(folder: Path) -> Optional[Dict[str, Any]]:
    """Return the commit of the repository that holds the folder, and whether its files differ from
    that commit; `None` without a repository or git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": None if status is None else bool(status)}


def _git(folder: Path, *arguments: str) -> Optional[str]:
    try:
        completed = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return completed.stdout.strip() if completed.returncode == 0 else None


def _version(package: str) -> Optional[str]:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
