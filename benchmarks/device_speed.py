"""Times training on a device beside plain loops, and counts how often the host waits for it.

    python -m benchmarks.device_speed [--device cuda] [--repeats 5] [--batch-size 1024]

Both sides run in this process, on the same device, in turns. The table gives the instances per
second of an epoch, the median of the repeats, and how many times as fast as the loop the framework
is: the median of the ratios of the turns, and their range. By default the data are the digits that
scikit-learn has, so that a machine without a network and without data can run it.
"""

import argparse
import copy
import logging
import statistics
import tempfile
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import torch

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import Compared, built, check_device, clock_seconds
from benchmarks.loops import InferenceNetworkLoop, Loop, NoiseContrastiveLoop, ValueLoop
from benchmarks.training_speed import AS_PUBLISHED, timed_config
from benchmarks.training_speed import CONFIGS as OF_DATA
from structured_energy.compatibility import say_errors_in_one_sentence

EMBEDDED: Dict[str, Tuple[Type[Loop], Dict[str, Any]]] = {
    "digits/cross_entropy": (Loop, {}),
    "digits/inference_network": (InferenceNetworkLoop, {}),
    "digits/seal_dynamic_nce": (NoiseContrastiveLoop, AS_PUBLISHED),
    "digits/dvn": (ValueLoop, {}),
}
CONFIGS = EMBEDDED | OF_DATA


def on_device(loop: Loop, device: torch.device) -> None:
    """Move the data and the networks of a loop; its optimisers have no state yet."""
    for name, value in vars(loop).items():
        if isinstance(value, torch.nn.Module):
            value.to(device)
        elif isinstance(value, torch.Tensor):
            setattr(loop, name, value.to(device))


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


def compare(
    name: str, device: torch.device, repeats: int, batch_size: Optional[int] = None
) -> Tuple[int, Compared, List[float]]:
    """Return the number of instances, the seconds of an epoch of the framework and of the loop, and
    on a CUDA device the waits per batch of both."""
    loop_class, overrides = CONFIGS[name]
    if batch_size is not None:
        overrides = overrides | {"data_loader.batch_size": batch_size}
    config = timed_config(name, repeats + 3, overrides)
    config["trainer"].update(callbacks=[], cuda_device=0 if device.type == "cuda" else -1)
    with tempfile.TemporaryDirectory() as folder:
        run = built(config, folder)
        # The loop takes the whole data; crops are its own.
        data_loader = copy.copy(run.trainer.data_loader)
        data_loader.augmentations = []
        loop = loop_class(run.model, data_loader, config)
        on_device(loop, device)
        epochs = iter(range(repeats + 3))

        def framework() -> None:
            run.trainer._train_epoch(next(epochs))

        def plain() -> None:
            with torch.device(device):
                loop.train_epoch()

        sides = (framework, plain)
        compared = Compared([], [])
        for repeat in range(repeats + 1):
            for side, row in zip(sides, compared, strict=True):
                seconds = clock_seconds(side, device)
                if repeat:  # the first one warms up
                    row.append(seconds)
        batches = -(-len(loop.x) // loop.batch_size)
        counts = [waits(side) / batches for side in sides] if device.type == "cuda" else []
    return len(loop.x), compared, counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch-size", type=int, help="in place of that of the config")
    parser.add_argument("--configs", nargs="+", choices=list(CONFIGS), default=list(EMBEDDED))
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    device = arguments.device
    check_device(device)
    where = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(f"Instances/s of training and host synchronisations per batch, {where}")
    heads = ("framework", "loop", "ratio", "range", "syncs", "loop's")
    print(f"{'config':34}" + "".join(f"{head:>14}" for head in heads))
    for name in arguments.configs:
        count, compared, waited = compare(name, device, arguments.repeats, arguments.batch_size)
        row = f"{name:34}"
        row += "".join(f"{count / statistics.median(seconds):14,.0f}" for seconds in compared)
        row += "".join(f"{cell:>14}" for cell in compared.cells()[2:])
        row += "".join(f"{each:14.1f}" for each in waited) or f"{'–':>14}" * 2
        print(row, flush=True)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
