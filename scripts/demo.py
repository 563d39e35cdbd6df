"""Trains an inference network to complete handwritten digits, and shows what came of it.

    python scripts/demo.py [--config training_configs/multi_label/digits/inference_network.jsonnet]

Writes a run to `runs/demo`: the model, its metrics, and `digits.png`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Dict

import matplotlib
import numpy as np
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

import structured_energy  # noqa: F401  (registers what the archive is made of)
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.reporting import tree_of

matplotlib.use("Agg")
from matplotlib import pyplot

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "training_configs" / "multi_label" / "digits" / "inference_network.jsonnet"


def train(config: Path, folder: Path) -> None:
    """Runs the command that a user runs."""
    command = ["train", str(config), "-s", str(folder), "--force"]
    subprocess.run([sys.executable, "-m", "allennlp", *command], cwd=ROOT, check=True)


def show_metrics(console: Console, metrics: Dict[str, float]) -> None:
    """Print the task metrics on the test data, and the tree of logged values."""
    values = {
        key.removeprefix("test_"): value
        for key, value in metrics.items()
        if key.startswith("test_")
    }
    head, *nodes = tree_of(values).walk()
    table = Table("metric", "test", title="Task metrics on the test images")
    for name in head.values:
        table.add_row(name, f"{values[name]:.4f}")
    tree = Tree("model (the tree of logged values, on the test images)")
    branches = {"": tree}
    for node in nodes:
        branch = branches[node.path] = branches[node.path.rpartition(".")[0]].add(node.name)
        for last, name in node.values.items():
            branch.add(f"{last} = {values[name]:.4f}")
    console.print(table)
    console.print(tree)


def draw(archive_path: Path, picture: Path, count: int = 12) -> None:
    """Truth and completion of some test images; a line parts what is given from what is not."""
    archive = load_archive(archive_path)
    predictor = Predictor.from_archive(archive)
    instances = list(archive.dataset_reader.read("embedded://digits/test"))[:count]
    names = [f"pixel_{row}_{column}" for row in range(4, 8) for column in range(8)]
    figure, axes = pyplot.subplots(3, count, figsize=(count, 3.4), squeeze=False)
    for column, instance in enumerate(instances):
        truth = instance.fields["labels"].human_readable_repr()
        given = instance.fields["x"].human_readable_repr()
        top = np.array([given.get(f"pixel_{r}_{c}", 0.0) for r in range(4) for c in range(8)])
        predicted = predictor.predict_instance(instance)
        bottoms = [
            np.array([float(name in truth) for name in names]),
            np.array([float(name in predicted["labels"]) for name in names]),
            np.array(predicted["probabilities"]),
        ]
        for axis, bottom in zip(axes[:, column], bottoms, strict=True):
            axis.imshow(np.concatenate([top, bottom]).reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            axis.axhline(3.5, color="#0072B2", linewidth=1.5)
            axis.set_xticks([])
            axis.set_yticks([])
    for axis, title in zip(axes[:, 0], ("truth", "prediction", "probability"), strict=True):
        axis.set_ylabel(title)
    figure.suptitle("The top half of a digit is given, the bottom half predicted")
    figure.tight_layout()
    figure.savefig(picture, dpi=120)


def main() -> None:
    """The whole demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--serialization-dir", type=Path, default=ROOT / "runs" / "demo")
    arguments = parser.parse_args()
    folder = arguments.serialization_dir.resolve()
    train(arguments.config.resolve(), folder)
    show_metrics(Console(), json.loads((folder / "metrics.json").read_text()))
    draw(folder / "model.tar.gz", folder / "digits.png")
    print(f"The picture is {folder / 'digits.png'}, the model {folder / 'model.tar.gz'}.")


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
