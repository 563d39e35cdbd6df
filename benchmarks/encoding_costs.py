"""Measure what a frozen encoder costs in the first epoch and in later ones.

    OMP_NUM_THREADS=1 python -m benchmarks.encoding_costs [--documents 2000] [--epochs 5]

Three networks with the same trained layers on random documents, a step of cross-entropy for each
batch: on the encodings of the `frozen` encoder (a bidirectional LSTM, mean over tokens), stored in
memory and in a file; and on the same encodings as ready-made features. Prints the CPU seconds of
the first epoch, the median of the later ones, and their ratio to ready-made features.
"""

import argparse
import statistics
import tempfile
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import pooch
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from rich.console import Console
from rich.table import Table

from structured_energy.output_spaces import OutputSpace
from structured_energy.task_networks import TaskNetwork

LAYERS = {"num_layers": 1, "hidden_dims": 256, "activations": "relu", "dropout": 0.2}
BATCH_SIZE = 64


class Epochs(NamedTuple):
    """The CPU seconds of the first epoch, and of each later one."""

    first: float
    later: List[float]


def vocabulary(num_words: int, num_features: int, num_labels: int) -> Vocabulary:
    """Return a vocabulary of these sizes."""
    vocab = Vocabulary(non_padded_namespaces=["features", "labels"])
    for namespace, size in (
        ("tokens", num_words),
        ("features", num_features),
        ("labels", num_labels),
    ):
        for number in range(size):
            vocab.add_token_to_namespace(str(number), namespace)
    return vocab


def frozen_text(store: str, hidden_size: int) -> Dict[str, Any]:
    """Return the config of a frozen encoder of texts."""
    lstm = {"type": "lstm", "input_size": 64, "hidden_size": hidden_size, "bidirectional": True}
    embedding = {"type": "embedding", "embedding_dim": 64}
    return {
        "type": "frozen",
        "store": store,
        "encoder": {
            "type": "text",
            "embedder": {"token_embedders": {"tokens": embedding}},
            "encoder": lstm,
            "seq2vec_encoder": {
                "type": "boe",
                "embedding_dim": 2 * hidden_size,
                "averaged": True,
            },
        },
    }


def build(vocab: Vocabulary, encoder: Dict[str, Any]) -> TaskNetwork:
    """Return a task network."""
    torch.manual_seed(0)
    return TaskNetwork.from_params(
        Params({"encoder": encoder}), vocab=vocab, output_space=OutputSpace.by_name("binary")()
    )


def train(
    network: TaskNetwork, batch: Callable[[torch.Tensor], Any], labels: torch.Tensor
) -> Iterator[float]:
    """Train the network on shuffled batches, and yield the CPU seconds of each epoch."""
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learned)
    while True:
        start = time.process_time()
        for index in torch.randperm(len(labels)).split(BATCH_SIZE):
            optimizer.zero_grad()
            logits = network(batch(index))
            torch.nn.functional.binary_cross_entropy_with_logits(logits, labels[index]).backward()
            optimizer.step()
        yield time.process_time() - start


def measure(documents: int, epochs: int, hidden_size: int = 192) -> Dict[str, Epochs]:
    """Return what the epochs of each network took."""
    torch.manual_seed(0)
    vocab = vocabulary(num_words=5_000, num_features=2 * hidden_size, num_labels=28)
    tokens = torch.randint(2, 5_000, (documents, 30))
    for row, length in zip(tokens, torch.randint(5, 31, (documents,)).tolist(), strict=True):
        row[length:] = 0
    labels = (torch.rand(documents, 28) < 0.1).float()
    layers = {"type": "feedforward", "feedforward": LAYERS}

    def texts(index: torch.Tensor) -> Dict[str, Dict[str, torch.Tensor]]:
        return {"tokens": {"tokens": tokens[index]}}

    runs = {}
    for store in ("memory", "file"):
        network = build(vocab, {**layers, "encoder": frozen_text(store, hidden_size)})
        runs[f"frozen, stored in {store}"] = train(network, texts, labels)
    with torch.no_grad():
        features = network.encoder.encoder.encoder(texts(torch.arange(documents)))  # type: ignore[operator, union-attr]
    runs["ready-made features"] = train(build(vocab, layers), lambda index: features[index], labels)
    # In turn, so that other work on the machine slows all of them.
    seconds = [[next(run) for run in runs.values()] for _ in range(epochs)]
    return {
        name: Epochs(first, list(later))
        for name, (first, *later) in zip(runs, zip(*seconds, strict=True), strict=True)
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pooch.os_cache = lambda project: folder  # a file of this measurement only
        measured = measure(arguments.documents, arguments.epochs)
    ready = statistics.median(measured["ready-made features"].later)
    table = Table("encodings", "first epoch (s)", "later epochs (s)", "to ready-made")
    for name, epochs in measured.items():
        later = statistics.median(epochs.later)
        table.add_row(name, f"{epochs.first:.2f}", f"{later:.3f}", f"{later / ready:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
