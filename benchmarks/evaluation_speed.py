"""Times the metrics of an evaluation beside torchmetrics and scikit-learn, and its other parts.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python -m benchmarks.evaluation_speed [--repeats 9]

The first table is of the same work: seven metrics of the predictions for the test set of bibtex,
and a rule of decision that is fitted by the F1 of examples among 99 candidates. torchmetrics
computes with its functions, without their checks of arguments, and on all rows at once. All sides
run in this process, on one core, in turns, and must find the same rule and the same values.

The second table is of a whole validation on that set: the share of the networks (prediction and
encodings), of decoder and metrics, and of the rest (losses, logged values, copies).
"""

import argparse
import statistics
import tempfile
import time
import warnings
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np
import torch
from allennlp.training.metrics import Metric
from rich.console import Console
from rich.table import Table
from sklearn import metrics as sklearn_metrics

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import built, config_of, on_one_core
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.decoders import Decoder, Evaluation, Prediction
from structured_energy.encoded import Encoded
from structured_energy.networks import frozen
from structured_energy.output_spaces import BinaryOutputSpace

METRICS = (
    "example-f1",
    "micro-f1",
    "macro-f1",
    "subset-accuracy",
    "hamming-loss",
    "map-example",
    "map-label",
)
RULES = ("threshold", "relative")
CANDIDATES = [i / 100 for i in range(1, 100)]
METHODS = ("cross_entropy", "inference_network", "seal_dynamic_nce", "dvn")


class Timing(NamedTuple):
    """The seconds of each repeat, by the clock and of the processor."""

    wall: List[float]
    cpu: List[float]


def in_turns(actions: Dict[str, Callable[[], Any]], repeats: int) -> Dict[str, Timing]:
    """Times the actions, each once in every repeat; the first repeat warms up."""
    timings = {name: Timing([], []) for name in actions}
    for repeat in range(repeats + 1):
        for name, action in actions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            action()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            if repeat:
                timings[name].wall.append(wall)
                timings[name].cpu.append(cpu)
    return timings


def ours(
    rule: str, probabilities: torch.Tensor, labels: torch.Tensor, batch_size: int = 512
) -> Dict[str, float]:
    """The metrics of this package, in batches."""
    decoder = Decoder.by_name(rule)(BinaryOutputSpace())
    evaluation = Evaluation([Metric.by_name(name)() for name in METRICS], decoder)
    with evaluation.fitting():
        for p, truth in zip(probabilities.split(batch_size), labels.split(batch_size), strict=True):
            evaluation(Prediction(p), truth)
    (fitted,) = decoder.fitted_values().values()
    return {**evaluation.values(reset=True), "fitted": fitted}


def measure(rule: str, probabilities: torch.Tensor) -> torch.Tensor:
    """What the candidates of a rule cut: a label is on where it is higher."""
    if rule == "threshold":
        return probabilities
    return probabilities / probabilities.amax(1, keepdim=True)


def nearest_to_a_half(values: List[float]) -> float:
    """The best candidate, of equal ones the nearest to 0.5."""
    best = max(values) - 1e-9
    found = [at for at, value in zip(CANDIDATES, values, strict=True) if value >= best]
    return min(found, key=lambda at: abs(at - 0.5))


def of_torchmetrics(
    rule: str, probabilities: torch.Tensor, labels: torch.Tensor
) -> Dict[str, float]:
    """The same with torchmetrics, by the fastest of its functions for each metric."""
    from torchmetrics.functional import classification as tm

    cut, size = measure(rule, probabilities), labels.shape[1]
    plain: Dict[str, Any] = {"validate_args": False}

    def example_f1(at: float) -> float:
        settings = {"multidim_average": "samplewise", "zero_division": 1.0}
        # Of bool tensors, which take two thirds of the time of probabilities and numbers.
        return float(tm.binary_f1_score(cut > at, labels, **settings, **plain).mean())

    fitted = nearest_to_a_half([example_f1(at) for at in CANDIDATES])
    on, numbers = cut > fitted, labels.long()
    some, present = labels.any(1), labels.any(0)
    f1 = tm.multilabel_f1_score
    values = {
        "example_f1": example_f1(fitted),
        "micro_f1": f1(on, labels, num_labels=size, average="micro", **plain),
        "macro_f1": f1(on, labels, num_labels=size, average="none", **plain),
        "subset_accuracy": tm.multilabel_exact_match(on, labels, num_labels=size, **plain),
        "hamming_loss": tm.multilabel_hamming_distance(
            on, labels, num_labels=size, average="micro", **plain
        ),
        "map_example": tm.multilabel_ranking_average_precision(
            probabilities[some], numbers[some], num_labels=size, **plain
        ),
        "map_label": tm.multilabel_average_precision(
            probabilities[:, present], numbers[:, present], num_labels=int(present.sum()), **plain
        ),
        "fitted": fitted,
    }
    return {name: float(torch.as_tensor(value).double().mean()) for name, value in values.items()}


def of_scikit_learn(rule: str, probabilities: np.ndarray, labels: np.ndarray) -> Dict[str, float]:
    """The same with scikit-learn."""
    cut = measure(rule, torch.from_numpy(probabilities)).numpy()

    def f1(at: float, average: str, empty: float) -> float:
        return sklearn_metrics.f1_score(labels, cut > at, average=average, zero_division=empty)

    fitted = nearest_to_a_half([f1(at, "samples", 1.0) for at in CANDIDATES])
    some, present = labels.any(1), labels.any(0)
    return {
        "example_f1": f1(fitted, "samples", 1.0),
        "micro_f1": f1(fitted, "micro", 0.0),
        "macro_f1": f1(fitted, "macro", 0.0),
        "subset_accuracy": sklearn_metrics.accuracy_score(labels, cut > fitted),
        "hamming_loss": sklearn_metrics.hamming_loss(labels, cut > fitted),
        "map_example": sklearn_metrics.label_ranking_average_precision_score(
            labels[some], probabilities[some]
        ),
        "map_label": sklearn_metrics.average_precision_score(
            labels[:, present], probabilities[:, present], average="macro"
        ),
        "fitted": fitted,
    }


def sides(
    rule: str, probabilities: torch.Tensor, labels: torch.Tensor
) -> Dict[str, Callable[[], Dict[str, float]]]:
    """The libraries by name; each action returns its values."""
    arrays = probabilities.numpy(), labels.numpy()
    return {
        "this package": lambda: ours(rule, probabilities, labels),
        "torchmetrics": lambda: of_torchmetrics(rule, probabilities, labels),
        "scikit-learn": lambda: of_scikit_learn(rule, *arrays),
    }


def check_agreement(values: Dict[str, Dict[str, float]]) -> None:
    """Raises `ValueError` where two libraries compute different values."""
    (first, expected), *others = values.items()
    for name, found in others:
        for metric, value in found.items():
            if abs(value - expected[metric]) > 1e-5:
                raise ValueError(
                    f"expected the {metric} of {name} to be that of {first}, {expected[metric]}, "
                    f"got {value}"
                )


def trained(method: str, data_set: str, epochs: int, folder: str) -> Any:
    """The trainer of a config whose validation is on the test set, after some epochs."""
    config = config_of(data_set, method)
    torch.manual_seed(0)
    config["trainer"].update(num_epochs=epochs, patience=None, run_confidence_checks=False)
    config.update(evaluate_on_test=False, validation_data_path=config["test_data_path"])
    run = built(config, folder)
    for epoch in range(epochs):
        run.trainer._train_epoch(epoch)
    run.model.eval()
    return run.trainer


@torch.no_grad()
def parts(trainer: Any, repeats: int) -> Dict[str, Timing]:
    """The times of a validation, and of its networks and metrics among them."""
    model = trainer.model
    batches = list(trainer._validation_data_loader)
    with frozen(model), model.no_logging():
        predictions = [
            model.decoder.predict(batch["x"], model.inference.sample(batch["x"], None).y[:, 0])
            for batch in batches
        ]

    def networks() -> None:
        with frozen(model), model.no_logging():
            for batch in batches:
                x = Encoded.of(batch["x"])
                model.inference.sample(x, None)
                if model.score_network is not None:
                    model.score_network.encoding(x)

    def metrics() -> None:
        with model.evaluation.fitting():
            for prediction, batch in zip(predictions, batches, strict=True):
                model.evaluation(prediction, batch["labels"])
        model.evaluation.values(reset=True)

    def validation() -> None:
        trainer._validation_loss(0)
        model.get_metrics(reset=True)

    return in_turns({"validation": validation, "networks": networks, "metrics": metrics}, repeats)


def milliseconds(seconds: List[float]) -> float:
    """The median."""
    return 1e3 * statistics.median(seconds)


def spread(values: List[float]) -> str:
    """The median, with the lowest and the highest value."""
    middle = statistics.median(values)
    return f"{middle:.1f} ({min(values):.1f} to {max(values):.1f})"


def same_work(probabilities: torch.Tensor, labels: torch.Tensor, repeats: int) -> Table:
    """The table of the libraries."""
    table = Table("rule", "library", "ms", "CPU, ms", "times as long")
    for rule in RULES:
        actions = sides(rule, probabilities, labels)
        check_agreement({name: action() for name, action in actions.items()})
        timings = in_turns(actions, repeats)
        base = timings["this package"]
        for name, timing in timings.items():
            ratios = [a / b for a, b in zip(timing.cpu, base.cpu, strict=True)]
            wall, cpu = f"{milliseconds(timing.wall):,.0f}", f"{milliseconds(timing.cpu):,.0f}"
            table.add_row(rule, name, wall, cpu, "1" if timing is base else spread(ratios))
    return table


def of_validations(trainers: Dict[str, Any], repeats: int) -> Table:
    """The table of the parts of a validation, in CPU time."""
    table = Table("method", "validation, ms", "networks, ms", "metrics, ms", "rest, ms", "rest, %")
    for method, trainer in trainers.items():
        timings = parts(trainer, repeats)
        rests = [
            1e3 * (whole - networks - metrics)
            for whole, networks, metrics in zip(*(t.cpu for t in timings.values()), strict=True)
        ]
        shares = [
            rest / (10 * whole)
            for rest, whole in zip(rests, timings["validation"].cpu, strict=True)
        ]
        figures = [f"{milliseconds(timing.cpu):,.0f}" for timing in timings.values()]
        rest = f"{statistics.median(rests):,.0f}"
        table.add_row(method, *figures, rest, spread(shares))
    return table


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--data-set", default="bibtex")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--epochs", type=int, default=3, help="of training before")
    arguments = parser.parse_args()
    on_one_core()
    warnings.filterwarnings("ignore")
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        trainers = {
            method: trained(method, arguments.data_set, arguments.epochs, f"{folder}/{method}")
            for method in arguments.methods
        }
        model = next(iter(trainers.values())).model
        batches = list(next(iter(trainers.values()))._validation_data_loader)
        with torch.no_grad():
            probabilities = torch.cat([model(batch["x"])["probabilities"] for batch in batches])
        labels = torch.cat([batch["labels"] for batch in batches]).bool()
        console.print(same_work(probabilities, labels, arguments.repeats))
        console.print(of_validations(trainers, arguments.repeats))


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
