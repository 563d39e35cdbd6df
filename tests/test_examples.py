"""The tutorial's example of a loss of one's own, in a package of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from forked_command import allennlp

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "own_loss"


def run(arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=300,
        check=False,
    )


def test_the_tutorial_shows_the_very_files():
    tutorial = (ROOT / "docs" / "tutorial.md").read_text()
    for name in ("own_loss.py", "config.jsonnet", "test_own_loss.py"):
        assert f"{{literalinclude}} ../examples/own_loss/{name}" in tutorial


def test_it_passes_the_conformance_suite():
    result = run(["pytest", "-q", "-p", "no:cacheprovider", "test_own_loss.py"], EXAMPLE)
    assert result.returncode == 0, result.stdout
    assert "passed" in result.stdout


def test_it_trains(tmp_path):
    (tmp_path / "own_loss.py").symlink_to(EXAMPLE / "own_loss.py")
    flags = ["--include-package", "structured_energy", "--include-package", "own_loss"]
    flags += ["--overrides", '{"trainer.num_epochs": 1}']
    result = allennlp("train", EXAMPLE / "config.jsonnet", "-s", "run", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["training_sampler.loss.value"] > 0
