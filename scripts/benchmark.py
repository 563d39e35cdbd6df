"""Times training and evaluation on bibtex beside a hand-written PyTorch loop of the same math.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python scripts/benchmark.py [--repeats 5]

Both sides run in this process, on one core, in turns; the table gives the median of the repeats.
The loop is what one would write without a framework: the same networks, batch size and optimisers,
the whole set as a tensor, no metrics, no logging, no console. `reading` and `start` have no loop
beside them.
"""

import argparse
import copy
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from typing import Callable, Dict, List

import torch
from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.data import DatasetReader
from experiments import ROOT, config_of
from rich.console import Console
from rich.table import Table

import structured_energy  # noqa: F401  (registers what the configs are made of)

METHODS = ("cross_entropy", "inference_network")


def timed_config(method: str, epochs: int) -> Dict:
    """The shipped config, without what comes after training."""
    config = config_of("bibtex", method)
    config["trainer"].update(num_epochs=epochs, patience=None, run_confidence_checks=False)
    config["evaluate_on_test"] = False
    return config


class Loop:
    """The same networks in plain PyTorch."""

    def __init__(self, model: torch.nn.Module, data_loader, config: Dict) -> None:
        self.task = self._network(model.task_network)
        self.parts = [self.task]
        self.score = None
        if model.score_network is not None:
            self.score = self._network(model.score_network)
            term = model.score_network.structured_scores[0]
            self.pattern = torch.nn.Linear(
                *reversed(term.feedforward._linear_layers[0].weight.shape)
            )
            self.top = torch.nn.Linear(self.pattern.out_features, 1, bias=False)
            self.weights = config["model"]["sampler"]["loss"]["weights"]
            self.oracle_cost_weight = config["model"]["loss"]["oracle_cost_weight"]
        batches = list(data_loader)
        self.x = torch.cat([batch["x"] for batch in batches])
        self.y = torch.cat([batch["labels"] for batch in batches]).float()
        self.batch_size = config["data_loader"]["batch_size"]
        settings = {k: v for k, v in config["trainer"]["optimizer"].items() if k != "type"}
        self.task_optimizer = torch.optim.AdamW(self.task.parameters(), fused=True, **settings)
        if self.score is not None:
            parameters = [*self.score.parameters(), *self.pattern.parameters()]
            self.score_parameters = [*parameters, *self.top.parameters()]
            settings = config["trainer"]["networks"]["score_network"]["optimizer"]
            settings = {k: v for k, v in settings.items() if k != "type"}
            self.score_optimizer = torch.optim.AdamW(self.score_parameters, fused=True, **settings)

    @staticmethod
    def _network(network: torch.nn.Module) -> torch.nn.Sequential:
        layers: List[torch.nn.Module] = []
        feedforward = network.feature_network
        for linear, dropout in zip(feedforward._linear_layers, feedforward._dropout, strict=True):
            layers.append(torch.nn.Linear(linear.in_features, linear.out_features))
            layers += [torch.nn.Softplus(), torch.nn.Dropout(dropout.p)]
        labels = network.label_embeddings
        return torch.nn.Sequential(
            *layers, torch.nn.Linear(labels.in_features, labels.out_features)
        )

    def s(self, x: torch.Tensor, *outputs: torch.Tensor) -> List[torch.Tensor]:
        potentials = self.score(x)
        return [
            (potentials * y).sum(1)
            + self.top(torch.nn.functional.softplus(self.pattern(y))).squeeze(1)
            for y in outputs
        ]

    @staticmethod
    def cost(truth: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 1 - 2 * (truth * y).sum(1) / (truth.sum(1) + y.sum(1))

    def train_epoch(self) -> None:
        self.task.train()
        for rows in torch.randperm(len(self.x)).split(self.batch_size):
            x, truth = self.x[rows], self.y[rows]
            if self.score is not None:
                self._score_step(x, truth)
            logits = self.task(x)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, truth, reduction="sum"
            ) / len(x)
            if self.score is not None:
                y = torch.sigmoid(logits)
                score_weight, cost_weight, cross_entropy_weight = self.weights
                cost = self.cost(truth, y)
                inference = -(self.oracle_cost_weight * cost + self.s(x, y)[0])
                terms = score_weight * inference + cost_weight * cost
                loss = cross_entropy_weight * loss + terms.mean()
            self.task_optimizer.zero_grad()
            loss.backward()
            self.task_optimizer.step()

    def _score_step(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        with torch.no_grad():
            y = torch.sigmoid(self.task(x))
        true_score, score = self.s(x, truth, y)
        margin = self.oracle_cost_weight * self.cost(truth, y) + score - true_score
        loss = margin.clamp(min=0).mean()
        self.score_optimizer.zero_grad()
        loss.backward()
        self.score_optimizer.step()

    def evaluate(self) -> None:
        self.task.eval()
        hits = torch.zeros(())
        with torch.no_grad():
            for x, truth in zip(self.x.split(512), self.y.split(512), strict=True):
                y = torch.sigmoid(self.task(x)) > 0.5
                hits += (2 * (truth * y).sum(1) / (truth.sum(1) + y.sum(1)).clamp(min=1)).sum()


def timed(action: Callable[[], object]) -> float:
    """The seconds that the action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(method: str, repeats: int) -> List[List[float]]:
    """Seconds of an epoch of training and of evaluation, of the framework and of the loop."""
    config = timed_config(method, epochs=repeats + 1)
    with tempfile.TemporaryDirectory() as folder:
        run = TrainModel.from_params(
            Params(copy.deepcopy(config)),
            serialization_dir=folder,
            local_rank=0,
            batch_weight_key="",
        )
        trainer, model = run.trainer, run.model
        loop = Loop(model, trainer.data_loader, config)
        rows: List[List[float]] = [[], [], [], []]
        evaluation = trainer.data_loader.__class__.__new__(trainer.data_loader.__class__)
        evaluation.__dict__.update(trainer.data_loader.__dict__)
        evaluation.batch_size, evaluation.shuffle = 512, False
        trainer._validation_data_loader = evaluation
        for repeat in range(repeats + 1):
            seconds = [
                timed(lambda repeat=repeat: trainer._train_epoch(repeat)),
                timed(loop.train_epoch),
                timed(lambda repeat=repeat: _validate(trainer, repeat)),
                timed(loop.evaluate),
            ]
            if repeat:  # the first one warms up
                for row, value in zip(rows, seconds, strict=True):
                    row.append(len(loop.x) / value)
    return rows


def _validate(trainer, epoch: int) -> None:
    with torch.no_grad():
        trainer._validation_loss(epoch)
        trainer.model.get_metrics(reset=True)


def reading() -> float:
    """Seconds to read bibtex, training and test data, into instances."""
    reader = DatasetReader.from_params(Params({"type": "arff"}))
    return timed(
        lambda: [list(reader.read(f"data://bibtex/{split}")) for split in ("train", "test")]
    )


def start_up() -> Dict[str, float]:
    """Seconds from the command to the first batch, and of the imports among them."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "allennlp", "train"]
        command += [str(ROOT / "training_configs/multi_label/bibtex/cross_entropy.jsonnet")]
        command += ["-s", folder, "--force", "--overrides", '{"trainer.num_epochs": 1}']
        begin = time.time()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        first = None
        for line in process.stdout:
            if first is None and "gradient_descent_trainer - Training" in line:
                first = time.time() - begin
        process.wait()
    imports = timed(
        lambda: subprocess.run(
            [sys.executable, "-c", "import allennlp.commands, structured_energy"],
            check=True,
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
    )
    return {"command to first batch": first, "of it the imports of AllenNLP and this": imports}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore")
    console = Console()
    table = Table("config", "what", "framework, instances/s", "loop, instances/s", "ratio")
    for method in METHODS:
        rows = [statistics.median(row) for row in compare(method, repeats)]
        for what, ours, loop in (("training", *rows[:2]), ("evaluation", *rows[2:])):
            table.add_row(method, what, f"{ours:,.0f}", f"{loop:,.0f}", f"{ours / loop:.2f}")
    console.print(table)
    console.print(f"reading bibtex: {statistics.median(reading() for _ in range(repeats)):.2f} s")
    for what, seconds in start_up().items():
        console.print(f"{what}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
