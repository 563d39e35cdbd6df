"""Times training on a device beside plain loops, and counts how often the host waits for it.

    python -m benchmarks.device_speed [--device cuda] [--repeats 5]

The data are the digits that scikit-learn has, so that a machine without a network can run it. Both
sides run in this process, on the same device, in turns; the table gives the median of the repeats.
"""

import argparse
import copy
import logging
import statistics
import tempfile
import time
import warnings
from typing import Any, Callable, Dict, List, Tuple, Type

import torch
from allennlp.commands.train import TrainModel
from allennlp.common import Params

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import config_of
from benchmarks.loops import InferenceNetworkLoop, Loop, NoiseContrastiveLoop, ValueLoop
from structured_energy.compatibility import say_errors_in_one_sentence

CONFIGS: Dict[str, Type[Loop]] = {
    "cross_entropy": Loop,
    "inference_network": InferenceNetworkLoop,
    "seal_dynamic_nce": NoiseContrastiveLoop,
    "dvn": ValueLoop,
}


def on_device(loop: Loop, device: torch.device) -> None:
    """Move the data and the networks of a loop; its optimisers have no state yet."""
    for name, value in vars(loop).items():
        if isinstance(value, torch.nn.Module):
            value.to(device)
        elif isinstance(value, torch.Tensor):
            setattr(loop, name, value.to(device))


def timed(action: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of an action, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def waits(action: Callable[[], object]) -> int:
    """Return how often the host waits for the device in an action."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            action()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing CUDA operation" in str(each.message) for each in caught)


def compare(method: str, device: torch.device, repeats: int) -> Tuple[List[float], List[float]]:
    """Return the instances per second and the waits per step of the framework and of the loop."""
    config: Dict[str, Any] = config_of("digits", method)
    config["trainer"].update(num_epochs=repeats + 3, patience=None, run_confidence_checks=False)
    config["trainer"].update(callbacks=[], cuda_device=0 if device.type == "cuda" else -1)
    config["evaluate_on_test"] = False
    with tempfile.TemporaryDirectory() as folder:
        run = TrainModel.from_params(
            Params(copy.deepcopy(config)),
            serialization_dir=folder,
            local_rank=0,
            batch_weight_key="",
        )
        loop = CONFIGS[method](run.model, run.trainer.data_loader, config)
        on_device(loop, device)
        epochs = iter(range(repeats + 3))

        def framework() -> None:
            run.trainer._train_epoch(next(epochs))

        def plain() -> None:
            with torch.device(device):
                loop.train_epoch()

        sides = (framework, plain)
        speeds: List[List[float]] = [[], []]
        for repeat in range(repeats + 1):
            for side, row in zip(sides, speeds, strict=True):
                seconds = timed(side, device)
                if repeat:  # the first one warms up
                    row.append(len(loop.x) / seconds)
        steps = -(-len(loop.x) // config["data_loader"]["batch_size"])
        counts = [waits(side) / steps for side in sides] if device.type == "cuda" else []
    return [statistics.median(row) for row in speeds], counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--methods", nargs="+", choices=list(CONFIGS), default=list(CONFIGS))
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if arguments.device.type == "cuda" and not torch.cuda.is_available():
        raise OSError(f"Expected a device for --device {arguments.device}, got none; try cpu.")
    name = torch.cuda.get_device_name() if arguments.device.type == "cuda" else "CPU"
    print(f"digits, instances/s of training and host synchronisations per step, {name}")
    heads = ("framework", "loop", "ratio", "syncs", "loop's syncs")
    print(f"{'method':20}" + "".join(f"{head:>13}" for head in heads))
    for method in arguments.methods:
        (ours, plain), counts = compare(method, arguments.device, arguments.repeats)
        row = f"{method:20}{ours:13,.0f}{plain:13,.0f}{ours / plain:13.2f}"
        row += "".join(f"{count:13.1f}" for count in counts) or f"{'–':>13}" * 2
        print(row, flush=True)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
