"""Measure how far the best output of each sampler is from the best of all outputs.

    python -m experiments.search_error [RUN ...] [--write docs/search_error.md]

The score networks are random networks over 12 labels, with independent to strongly coupled labels,
each with a task network trained to score high (Tu & Gimpel 2018), and the networks of RUN, the
folders of runs on data with at most 12 labels, on their test data. The proposals of a sampler are
rounded, and the best of them is compared with the best of all outputs. The table shows how far its
score is below the maximum, in standard deviations of the scores of all outputs, as mean over
inputs, and in brackets how often it is the best output. `langevin` and `gibbs-with-gradients` do
not search: they draw from exp s(x, y) at temperature 1.
"""

import argparse
import itertools
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import torch
from allennlp.common import Params
from allennlp.data import DataLoader, Vocabulary
from allennlp.models.archival import load_archive
from rich.console import Console
from rich.table import Table

from benchmarks.common import ROOT, descent, inference_of, on_one_core
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.losses import ScoreLoss
from structured_energy.networks import frozen
from structured_energy.output_spaces import BinaryOutputSpace, OutputSpace
from structured_energy.samplers import InferenceNetworkSampler, Sampler
from structured_energy.score_networks import ScoreNetwork
from structured_energy.task_networks import TaskNetwork

LABELS = 12
FEATURES = 20
PATTERNS = 48
INPUTS = 200
MOST_LABELS = 12

RANDOM_STARTS = {"type": "random", "num_samples": 5}
SAMPLERS: Dict[str, Dict[str, Any]] = {
    "uniform": {"type": "uniform"},
    "random, 20 draws": {"type": "random", "num_samples": 20},
    "inference-network": {"type": "inference-network"},
    "network-draws, 20 draws": {"type": "network-draws", "num_samples": 20},
    "gradient-based-inference, projected, 60 steps": descent(60, optimizer="projected-gradient"),
    "gradient-based-inference, in logits, 60 steps": descent(60, optimizer="logits-gradient"),
    "gradient-based-inference, mirror descent, 5 steps": descent(5),
    "gradient-based-inference, mirror descent, 20 steps": descent(20),
    "gradient-based-inference, mirror descent, 60 steps": descent(60),
    "… from 5 random starts": descent(60, start=RANDOM_STARTS),
    "… from the task network": descent(60, start="inference-network"),
    "langevin, 60 steps, 5 starts": {"type": "langevin", "num_steps": 60, "start": RANDOM_STARTS},
    "gibbs-with-gradients, 60 steps": {"type": "gibbs-with-gradients", "num_steps": 60},
    "gibbs-with-gradients, 60 steps, 5 starts": {
        "type": "gibbs-with-gradients",
        "num_steps": 60,
        "start": RANDOM_STARTS,
    },
    "best-of inference-network and mirror descent": {
        "type": "best-of",
        "constituents": ["inference-network", descent(20)],
    },
}
# These are no search over sets of labels: the first two know the answer, the next ones pass on what
# they hold, and the last ones are of tags or of images.
WITHOUT_SEARCH = {
    "ground-truth",
    "perturbed-truth",
    "appending-container",
    "random-picking-container",
    "exact",
    "constrained",
    "mean-over-crops",
    "likely-subsets",
    "most-probable",
    "tempered-draws",
}


class Case(NamedTuple):
    """Networks, and inputs to search for."""

    name: str
    output_space: OutputSpace
    score_network: ScoreNetwork
    task_network: Optional[TaskNetwork]
    x: torch.Tensor


def all_scores(score_network: ScoreNetwork, x: torch.Tensor, num_labels: int) -> torch.Tensor:
    """The scores `(batch, 2^L)` of every output."""
    outputs = torch.tensor(list(itertools.product([0.0, 1.0], repeat=num_labels)))
    with torch.no_grad():
        return torch.cat(
            [
                score_network(part, outputs.expand(len(part), -1, -1))
                for part in x.split(max(1, 2**17 // len(outputs)))
            ]
        )


def search_error(sampler: Sampler, case: Case, scores: torch.Tensor) -> Tuple[float, float]:
    """The mean error of the best that is found, and the share of inputs where it is the best."""
    y = sampler.sample(case.x, None).y
    rounded = case.output_space.decode(y).to(y.dtype)
    with torch.no_grad():
        found = case.score_network(case.x, rounded).amax(dim=1)
    missing = (scores.amax(dim=1) - found).clamp(min=0)
    spread = scores.std(dim=1)
    return float((missing / spread).mean()), float((missing <= 1e-4 * spread).float().mean())


def vocabulary() -> Vocabulary:
    """The names of the random networks' features and labels."""
    vocab = Vocabulary()
    for namespace, size in (("features", FEATURES), ("labels", LABELS)):
        for number in range(size):
            vocab.add_token_to_namespace(f"{namespace}_{number}", namespace)
    return vocab


def feedforward(*hidden: int) -> Dict[str, Any]:
    """Softplus layers."""
    return {"num_layers": len(hidden), "hidden_dims": list(hidden), "activations": "softplus"}


def random_case(name: str, coupling: float, seed: int = 0, steps: int = 1000) -> Case:
    """Potentials of the order of 1, and random patterns of labels of the order of `coupling`, with
    a task network that was trained to score high."""
    torch.manual_seed(seed)
    vocab, space = vocabulary(), BinaryOutputSpace()
    score_network = ScoreNetwork.from_params(
        Params(
            {
                "encoder": {"type": "feedforward", "feedforward": feedforward(32)},
                "structured_scores": [
                    {"type": "feedforward", "feedforward": feedforward(PATTERNS)}
                ],
            }
        ),
        vocab=vocab,
        output_space=space,
    )
    embeddings = score_network.projection.weight
    term = score_network.structured_scores[0]
    layer = term.feedforward._linear_layers[0]
    with torch.no_grad():
        embeddings.normal_()
        embeddings.sub_(embeddings.mean(1, keepdim=True))
        # A pattern says of four labels whether they are on; it counts where all of them are so.
        chosen = torch.rand_like(layer.weight).argsort(dim=1) < 4
        signs = torch.randn_like(layer.weight).sign()
        layer.weight.copy_(4 * signs * chosen)
        layer.bias.copy_(2 - layer.weight.clamp(min=0).sum(1))
        term.projection.weight.normal_().mul_(coupling)
    task_network = TaskNetwork.from_params(
        Params({"encoder": {"type": "feedforward", "feedforward": feedforward(64)}}),
        vocab=vocab,
        output_space=space,
    )
    inference = InferenceNetworkSampler(space, task_network)
    loss = ScoreLoss(score_network)
    optimizer = torch.optim.Adam(task_network.parameters(), lr=3e-3)
    with frozen(score_network):
        for _ in range(steps):
            x = torch.randn(128, FEATURES)
            optimizer.zero_grad()
            sample = inference.sample(x, None)
            loss(x, space.encode(sample.y[:, 0] > 0.5), sample).backward()
            optimizer.step()
    return Case(name, space, score_network, task_network, torch.randn(INPUTS, FEATURES))


def trained_case(run: Path) -> Case:
    """The networks of a run, and its first test inputs."""
    archive = load_archive(run / "model.tar.gz")
    model = archive.model.eval()
    labels = model.vocab.get_vocab_size("labels")
    if model.score_network is None or labels > MOST_LABELS:
        raise SystemExit(
            f"Expected a run with a score network over at most {MOST_LABELS} labels, got {labels} "
            f"labels and the score network {model.score_network} in {run}; take another run."
        )
    loader = DataLoader.from_params(
        Params({"type": "tensor", "batch_size": INPUTS}),
        reader=archive.dataset_reader,
        data_path=archive.config["test_data_path"],
    )
    loader.index_with(model.vocab)
    x = next(iter(loader))["x"]
    name = f"{run.parent.parent.name}, {run.parent.name}"
    return Case(name, model.output_space, model.score_network.eval(), model.task_network, x)


def column(case: Case) -> List[str]:
    """The cell of each sampler."""
    scores = all_scores(case.score_network, case.x, case.score_network.logits_size)
    cells = []
    for config in SAMPLERS.values():
        if case.task_network is None and "network" in str(config):
            cells.append("")
            continue
        torch.manual_seed(0)
        sampler = inference_of(config, case)
        error, found = search_error(sampler, case, scores)
        cells.append(f"{error:.3f} ({100 * found:.0f} %)")
    return cells


def main() -> None:
    """Prints the table, and writes it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    on_one_core()
    cases = [
        random_case("independent labels", 0.0),
        random_case("coupled labels", 1.0),
        random_case("strongly coupled labels", 4.0),
        *map(trained_case, arguments.runs),
    ]
    header = ["sampler", *(case.name for case in cases)]
    rows = [list(row) for row in zip(SAMPLERS, *map(column, cases), strict=True)]
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if arguments.write:
        lines = [header, ["---"] * len(header), *rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        runs = "".join(f" \\\n    {_of_root(run)}" for run in arguments.runs)
        command = f"python -m experiments.search_error --write docs/search_error.md{runs}"
        about = __doc__.split("\n\n", 2)[2].strip()
        arguments.write.write_text(
            f"# Search error\n\n{about}\n\n```bash\n{command}\n```\n\n{text}\n"
        )


def _of_root(path: Path) -> Path:
    path = path.resolve()
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
