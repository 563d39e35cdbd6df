"""The wheel, installed by plain pip into an empty environment, as a user does.

It takes minutes and downloads torch: `make matrix` runs it, `INSTALL=1` does by hand.
"""

import json
import os
import subprocess
import venv

import pytest
from test_packaging import wheel  # noqa: F401  (the fixture)

from structured_energy.testing import write_arff

COMMAND = "pip install --no-deps allennlp==2.10.1"
SENTENCE = f"Expected AllenNLP 2.10.1 beside structured-energy, got none; run: {COMMAND}"
CONFIG = """
local se = import 'structured_energy/multi_label.libsonnet';
se.cross_entropy({
  train: 'problem-train.arff',
  validation: 'problem-validation.arff',
  reader: 'arff',
})
"""

pytestmark = pytest.mark.skipif(
    not os.environ.get("INSTALL"), reason="takes minutes: INSTALL=1, or make matrix"
)


class Environment:
    """A virtual environment whose programs run in an empty folder."""

    def __init__(self, folder):
        self.programs = folder / "environment" / "bin"
        self.empty = folder / "empty"
        self.empty.mkdir()
        venv.create(self.programs.parent, with_pip=True)

    def run(self, program, *arguments):
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=self.empty,
            env={**variables, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *arguments):
        result = self.run("python", "-m", "pip", "install", "-q", *arguments)
        assert result.returncode == 0, result.stderr[-3000:]


@pytest.fixture(scope="module")
def without_allennlp(wheel, tmp_path_factory):  # noqa: F811
    """An environment with the wheel and what its metadata name."""
    environment = Environment(tmp_path_factory.mktemp("install"))
    reached = environment.run("python", "-m", "pip", "download", "-q", "--no-deps", "base58")
    if reached.returncode:
        pytest.skip("no package index is reachable")
    environment.install(str(wheel))
    return environment


def test_commands_and_import_say_the_one_further_command(without_allennlp):
    for command in (["structured-energy"], ["python", "-m", "structured_energy"]):
        result = without_allennlp.run(*command, "train", "config.jsonnet", "-s", "run")
        assert (result.returncode, result.stdout, result.stderr) == (1, "", f"{SENTENCE}\n")
    result = without_allennlp.run("python", "-c", "import structured_energy")
    assert result.stderr.splitlines()[-1] == f"ImportError: {SENTENCE}"


def test_with_it_a_model_is_trained_from_an_empty_folder(without_allennlp):
    environment = without_allennlp
    environment.install(*COMMAND.split()[2:])
    for part in ("train", "validation"):
        write_arff(environment.empty, part, 40, seed=len(part))
    (environment.empty / "mine.jsonnet").write_text(CONFIG)
    short = json.dumps({"trainer.num_epochs": 2})
    for program, folder in (("allennlp", "first"), ("structured-energy", "second")):
        result = environment.run(program, "train", "mine.jsonnet", "-s", folder, "-o", short)
        assert result.returncode == 0, result.stderr[-3000:]
        metrics = json.loads((environment.empty / folder / "metrics.json").read_text())
        assert 0 <= metrics["validation_example_f1"] <= 1, metrics
    result = environment.run(
        "allennlp",
        "predict",
        "first/model.tar.gz",
        "problem-validation.arff",
        "--use-dataset-reader",
    )
    assert result.returncode == 0, result.stderr[-3000:]
