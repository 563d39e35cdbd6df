"""Trainings side by side, each in a process of its own."""

import fcntl
import multiprocessing
import os
import time
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

from .worker import begun, config_in, work

PERIOD = 0.5  # seconds between two looks at the runs


class Job(NamedTuple):
    """A run to train.

    # Fields

    name : what the lines about the run call it.
    key : any value by which the caller knows the run.
    """

    name: str
    config: Dict[str, Any]
    folder: Path
    key: Any = None


class Outcome(NamedTuple):
    """How a run ended.

    # Fields

    state : `finished`, `stopped` (by the caller), `nan` (the training loss), `config` or `failed`.
    metrics : of a run that finished.
    trouble : one sentence about a run that did not.
    seconds : that this process waited for it.
    """

    job: Job
    state: str
    metrics: Dict[str, Any]
    trouble: str
    seconds: float


class Jobs:
    """Trainings in at most `limit` processes at a time.

    # Parameters

    limit : `int`
        The number of processes. With several, each has its share of the processor's threads.
    packages : `Sequence[str]`
        The packages that each process imports, as `--include-package`.
    """

    def __init__(self, limit: int, packages: Sequence[str] = ()) -> None:
        if limit < 1:
            raise ValueError(f"Expected --jobs of at least 1, got {limit}.")
        self.limit = limit
        self.packages = list(packages)
        self._threads = max(1, (os.cpu_count() or 1) // limit) if limit > 1 else 0
        # A server that has imported the package once starts each process in no time.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["structured_energy.sweeps.worker"])

    def run(
        self,
        jobs: Iterator[Job],
        is_to_stop: Callable[[Job], bool] = lambda job: False,
    ) -> Iterator[Outcome]:
        """Yield the outcome of each job as it ends; `is_to_stop` is asked about running ones again
        and again. The next job is only taken when a process is free for it."""
        running: Dict[Any, "_Running"] = {}
        exhausted = False
        try:
            while running or not exhausted:
                while len(running) < self.limit and not exhausted:
                    job = next(jobs, None)
                    exhausted = job is None
                    if job is not None:
                        started = self._start(job)
                        running[started.receiver] = started
                ready = connection.wait(list(running), PERIOD) if running else []
                for receiver in ready:
                    yield running.pop(receiver).outcome()
                for receiver, each in [*running.items()]:
                    if is_to_stop(each.job):
                        yield running.pop(receiver).stop()
        finally:
            for each in running.values():
                each.stop()

    def _start(self, job: Job) -> "_Running":
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=work, args=(sender, job.config, job.folder, self.packages, self._threads)
        )
        process.start()
        sender.close()
        return _Running(job, process, receiver, time.monotonic())


class _Running(NamedTuple):
    job: Job
    process: Any
    receiver: Any
    start: float

    def outcome(self) -> Outcome:
        """Return how the process ended."""
        try:
            state, content = self.receiver.recv()
        except EOFError:  # it was killed
            self.process.join()
            code = self.process.exitcode
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            state, content = "failed", f"the process {how}."
        self.process.join()
        finished = state == "finished"
        return self._outcome(state, content if finished else {}, "" if finished else content)

    def stop(self) -> Outcome:
        """End the process."""
        self.process.terminate()
        self.process.join()
        return self._outcome("stopped", {}, "stopped")

    def _outcome(self, state: str, metrics: Dict[str, Any], trouble: str) -> Outcome:
        self.receiver.close()
        return Outcome(self.job, state, metrics, trouble, time.monotonic() - self.start)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other commands out of it.

    # Raises

    `ValueError` where another command is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"Expected a folder in which no other command trains, got {folder}; wait for it, "
                "or choose another --out."
            ) from None
        yield


def missing(jobs: Sequence[Job], force: bool) -> List[Job]:
    """Return the jobs whose runs have not finished.

    # Raises

    `ValueError` for a folder with the run of another config, unless it is to be trained again by
    `force`.
    """
    left = []
    for job in jobs:
        same = begun(job.folder, job.config)
        if config_in(job.folder) is not None and not same and not force:
            raise ValueError(
                f"Expected the run in {job.folder} to be of the config of {job.name}, got one of "
                "another config; choose another --out, or train it again with --force."
            )
        if not (same and (job.folder / "metrics.json").exists()):
            left.append(job)
    return left
