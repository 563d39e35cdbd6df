"""A long training, watched: memory, files and speed must stay what they are.

    STRUCTURED_ENERGY_DATA=... python -m benchmarks.soak --minutes 60 [--data-set bibtex]

It trains a shipped config with all callbacks that write the tree down, epoch after epoch, and looks
at the process and at the run's folder after each. The second quarter of the time is compared with
the last one: memory may grow by 2 %, the time in which a tenth of the epochs are done by 10 % (the
others wait for what else the machine does); files by nothing but the `metrics_epoch_N.json` of
AllenNLP, and bytes by as much an epoch as before (rows of the CSV, events of TensorBoard). The
script ends with 1 where something grows.
"""

import argparse
import ctypes
import os
import statistics
import tempfile
import time
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.training import GradientDescentTrainer, TrainerCallback
from rich.console import Console
from rich.table import Table

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import config_of, data_sets, on_one_core
from structured_energy.compatibility import say_errors_in_one_sentence

CALLBACKS = ["console-tree", "tree-to-csv", "tree-to-tensorboard", "plots"]


class Sample(NamedTuple):
    """What was seen after an epoch."""

    seconds: float  # that the epoch took
    megabytes: float  # of the process
    files: int  # in the folder, without AllenNLP's one for each epoch
    kilobytes: float  # of all files


class Enough(Exception):
    """The time is over."""


@TrainerCallback.register("watch", exist_ok=True)
class Watch(TrainerCallback):
    """Looks at the process and the folder after each epoch, and ends the run after so long."""

    samples: List[Sample] = []

    def __init__(self, serialization_dir: str, minutes: float) -> None:
        super().__init__(serialization_dir)
        self.folder = Path(serialization_dir)
        self.end = time.monotonic() + 60 * minutes
        self.before: Optional[float] = None

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Takes a sample."""
        now = time.monotonic()
        if self.before is not None:
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files)
            others = sum(not path.name.startswith("metrics_epoch_") for path in files)
            self.samples.append(Sample(now - self.before, resident(), others, size / 1e3))
        self.before = time.monotonic()
        if now > self.end:
            raise Enough


def resident() -> float:
    """The memory of this process, in MB, without what its allocator keeps for the next epoch."""
    with suppress(AttributeError, OSError):  # glibc has it
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Finding(NamedTuple):
    """A quantity in the second quarter and in the last one, and the most that it may be there."""

    what: str
    before: float
    after: float
    most: float

    @property
    def grows(self) -> bool:
        """Whether it is more than it may be."""
        return self.after > self.most


def judge(samples: List[Sample]) -> List[Finding]:
    """The second quarter of the samples beside the last one.

    # Raises

    `ValueError` where there are too few to tell.
    """
    if len(samples) < 16:
        raise ValueError(f"Expected at least 16 epochs, got {len(samples)}; take more minutes.")
    quarter = len(samples) // 4
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]

    def median(part: List[Sample], name: str) -> float:
        return statistics.median(getattr(sample, name) for sample in part)

    def growth(part: List[Sample]) -> float:
        return (part[-1].kilobytes - part[0].kilobytes) / (len(part) - 1)

    def fast(part: List[Sample]) -> float:
        return statistics.quantiles((sample.seconds for sample in part), n=10)[0]

    memory, files = (median(second, name) for name in ("megabytes", "files"))
    return [
        Finding("memory, MB", memory, median(last, "megabytes"), 1.02 * memory),
        Finding("time of a fast epoch, s", fast(second), fast(last), 1.1 * fast(second)),
        Finding("files", files, median(last, "files"), files),
        Finding("kB an epoch", growth(second), growth(last), 1.2 * growth(second) + 1),
    ]


def main() -> int:
    """Trains, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--data-set", choices=data_sets(), default="bibtex")
    parser.add_argument("--method", default="inference_network")
    arguments = parser.parse_args()
    on_one_core()
    config = config_of(arguments.data_set, arguments.method)
    config["trainer"].update(
        num_epochs=10**6,
        patience=None,
        callbacks=[*CALLBACKS, {"type": "watch", "minutes": arguments.minutes}],
    )
    Watch.samples = []
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        suppress(Enough),
    ):
        train_model(Params(config), folder, force=True)
    console = Console()
    findings = judge(Watch.samples)
    table = Table("what", "second quarter", "last quarter", "at most", "")
    for finding in findings:
        numbers = (f"{each:,.4g}" for each in finding[1:])
        table.add_row(finding.what, *numbers, "grows" if finding.grows else "")
    console.print(f"{len(Watch.samples)} epochs in {arguments.minutes:g} minutes")
    console.print(table)
    return int(any(finding.grows for finding in findings))


if __name__ == "__main__":
    say_errors_in_one_sentence()
    raise SystemExit(main())
