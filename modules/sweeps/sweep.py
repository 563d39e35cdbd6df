"""Training of configs and methods over seeds."""

import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError

from .config_file import ConfigFile
from .jobs import Job, Jobs, Outcome, locked, missing


def jobs_of(
    files: Sequence[ConfigFile], methods: Optional[List[str]], seeds: Sequence[int], out: Path
) -> List[Job]:
    """Return a job for each config, method and seed, with the folder `OUT/NAME/seed_N`.

    The name of a config of the library is its method; several configs have the parts of their paths
    in which they differ, such as `scene/dvn` and `yeast/dvn`.

    # Raises

    `ConfigurationError` for a method that a config does not have, and for two configs whose runs
    would have one folder.
    """
    full = [file.path.resolve() for file in files]
    above = Path(os.path.commonpath([path.parent for path in full]))
    jobs: Dict[str, Job] = {}
    origins: Dict[str, Path] = {}
    for seed in dict.fromkeys(seeds):
        for file, path in zip(files, full, strict=True):
            at = path.parent.relative_to(above)
            for method in file.methods(methods):
                name = path.stem if len(files) > 1 else file.name
                if method is not None:
                    name = method if name == file.name else f"{name}/{method}"
                name = f"{at / name}/seed_{seed}"
                job = Job(name, file.config(method, seed=seed), out / name)
                if jobs.setdefault(name, job) != job:
                    raise ConfigurationError(
                        f"Expected configs whose runs have different names, got {origins[name]} "
                        f"and {file.path}, both of which train {name} with different configs; "
                        "rename one, or sweep it into another --out."
                    )
                origins.setdefault(name, file.path)
    return list(jobs.values())


def sweep(
    jobs: Sequence[Job],
    out: Path,
    limit: int,
    packages: Sequence[str],
    force: bool,
    say: Callable[[str], None],
) -> bool:
    """Train the runs that are missing, `limit` at a time, say a line for each as it ends, and
    return whether all runs have finished.

    # Raises

    `ValueError` for a folder with the run of another config, and where another command is at work.
    """
    with locked(out):
        left = missing(jobs, force)
        say(f"{len(left)} of {len(jobs)} runs to train, in {out}")
        failed = 0
        for number, outcome in enumerate(Jobs(limit, packages).run(iter(left)), 1):
            failed += outcome.state != "finished"
            say(f"{number}/{len(left)} {line(outcome)}")
    return not failed


def line(outcome: Outcome) -> str:
    """Return one line about a run that has ended."""
    job, seconds = outcome.job, f"{outcome.seconds:.0f} s"
    if outcome.state != "finished":
        log = job.folder / "out.log"
        where = f" The log is {log}." if log.exists() else ""
        return f"{job.name}: failed after {seconds}: {outcome.trouble}{where}"
    metric, _ = tracked(job.config)
    said = []
    for part, prefix in (("validation", "best_validation_"), ("test", "test_")):
        value = outcome.metrics.get(f"{prefix}{metric}")
        if isinstance(value, (int, float)):
            said.append(f"{part} {metric} {value:.4f}")
    if "best_epoch" in outcome.metrics:
        said.append(f"best epoch {outcome.metrics['best_epoch']}")
    return f"{job.name}: {', '.join([*said, seconds])}"


def tracked(config: Dict[str, Any]) -> tuple:
    """Return the metric by which the best epoch of a config is chosen, and whether lower is
    better."""
    metric = config.get("trainer", {}).get("validation_metric", "-loss")
    metric = metric if isinstance(metric, str) else metric[0]
    return metric.lstrip("+-"), metric.startswith("-")
