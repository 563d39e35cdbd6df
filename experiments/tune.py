"""Searches the hyper-parameters of methods on data sets with Optuna, on validation data.

    python -m experiments.tune --data-sets scene --methods cross_entropy dvn --trials 20 --workers 2

Every method gets the same number of trials, of which the first is what the table of the data set
says, in the search space that `training_configs/lib/search_spaces.libsonnet` gives it (for taggers
`tagging_search_spaces.libsonnet`); the test data are not read. A study is kept in `--storage` (any
of Optuna's, SQLite by default), so a search that was stopped goes on, and workers on several
machines share one; a trial whose worker died, here or on another machine, is given up, and another
one takes its place.
`--write` puts the best into `training_configs/lib/tuned.json`, which the configs read.
"""

import argparse
import functools
import json
import os
import socket
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterator, List, NamedTuple, Optional, Tuple

import _jsonnet
import optuna
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState
from rich.console import Console
from tqdm import tqdm

from benchmarks.common import (
    LIB,
    ROOT,
    SEARCH_SPACES,
    TASKS,
    check_methods,
    config_of,
    data_sets,
    in_processes,
    methods_of,
    metric_of,
    task_of,
    train,
)
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.training import NanLossError

# The heartbeat, by which a trial whose worker died is found, is called experimental.
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

SEED = 0
HEARTBEAT, GRACE = 30, 120  # seconds; a trial without a sign of life for so long is given up
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
UNDER_WAY = (*ENDED, TrialState.RUNNING)
TABLE = LIB / "tuned.json"


class Study(NamedTuple):
    """Where the trials of a method on a data set are, and how many there shall be."""

    data_set: str
    method: str
    storage: str
    trials: int
    worker: int = 0

    def open(self) -> optuna.Study:
        """The study, made where it is missing."""
        engine = {"connect_args": {"timeout": 60}} if self.storage.startswith("sqlite") else {}
        return optuna.create_study(
            storage=optuna.storages.RDBStorage(
                self.storage, engine_kwargs=engine, heartbeat_interval=HEARTBEAT, grace_period=GRACE
            ),
            study_name=f"{self.data_set}/{self.method}",
            direction="maximize",
            # Half of the trials are drawn at random before any is drawn by what others found;
            # workers on one study draw different ones.
            sampler=optuna.samplers.TPESampler(
                seed=SEED + self.worker,
                n_startup_trials=(self.trials + 1) // 2,
                constant_liar=True,
            ),
            load_if_exists=True,
        )

    def count(self, states: Collection[TrialState]) -> int:
        """How many of its trials are in one of these states, up to those that there shall be."""
        return min(len(self.open().get_trials(deepcopy=False, states=states)), self.trials)


def search_space(data_set: str, method: str) -> Dict[str, Any]:
    """The search space of a method on the data sets of a task."""
    snippet = f"(import '{LIB}/{SEARCH_SPACES[task_of(data_set)]}.libsonnet').{method}"
    return json.loads(_jsonnet.evaluate_snippet("space", snippet))


def defaults(data_set: str, method: str) -> Dict[str, Any]:
    """What the table says of the hyper-parameters that are searched."""
    snippet = f"(import '{LIB}/{TASKS[task_of(data_set)]}.libsonnet').{data_set}"
    table = json.loads(_jsonnet.evaluate_snippet("table", snippet))
    return {name: table[name] for name in search_space(data_set, method)}


def suggest(trial: optuna.Trial, space: Dict[str, Any]) -> Dict[str, Any]:
    """A point of the space."""
    return {
        name: trial.suggest_categorical(name, where["choices"])
        if "choices" in where
        else trial.suggest_float(name, where["low"], where["high"], log=where.get("log", False))
        for name, where in space.items()
    }


def objective(trial: optuna.Trial, study: Study) -> float:
    """The best value on the validation data of the metric by which epochs are chosen."""
    trial.set_user_attr("process", [socket.gethostname(), os.getpid()])
    hyper_parameters = suggest(trial, search_space(study.data_set, study.method))
    config = config_of(study.data_set, study.method, SEED, hyper_parameters)
    del config["test_data_path"], config["evaluate_on_test"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            return train(config, Path(folder) / "run")[f"best_validation_{metric_of(config)}"]
        except NanLossError as error:  # of the setting: a trial like any other, without a value
            raise optuna.TrialPruned(str(error)) from error


def give_up_the_dead(study: Study) -> None:
    """Trials whose process is gone: of this machine at once, of others when they have given no sign
    of life for too long."""
    opened = study.open()
    optuna.storages.fail_stale_trials(opened)
    for trial in opened.get_trials(states=(TrialState.RUNNING,)):
        host, process = trial.user_attrs.get("process", ("", 0))
        if host == socket.gethostname():
            try:
                os.kill(process, 0)  # sends nothing
            except ProcessLookupError:
                opened.tell(trial.number, state=TrialState.FAIL)


def work(study: Study) -> None:
    """One worker's part of the trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    give_up_the_dead(study)
    if study.count(UNDER_WAY) < study.trials:
        study.open().optimize(
            functools.partial(objective, study=study),
            callbacks=[MaxTrialsCallback(study.trials, states=UNDER_WAY)],
        )


def search(
    studies: List[Study],
    workers: int,
    waiting: Callable[[], None],
    work: Callable[[Study], None] = work,
    period: float = 2.0,
) -> Iterator[Tuple[Study, Optional[Exception]]]:
    """Each study as it ends, or an error of one of its workers. At its end all trials have ended;
    those that another machine has begun are waited for, and done here where it died. Where two
    workers end a trial at the same moment, both may begin what is then the last: `counted` leaves
    out what is too many."""
    # A worker takes trials of a study until there are enough; where studies are more than workers,
    # each has one worker at a time.
    each = 1 if len(studies) >= workers else workers
    left = studies
    while left:
        for study in left:
            give_up_the_dead(study)
        ended = [study for study in left if study.count(ENDED) == study.trials]
        yield from ((study, None) for study in ended)
        left = [study for study in left if study not in ended]
        missing = {study: study.trials - study.count(UNDER_WAY) for study in left}
        jobs = [
            study._replace(worker=worker)
            for worker in range(each)
            for study in left
            if worker < missing[study]
        ]
        if left and not jobs:  # the rest is under way elsewhere
            time.sleep(period)
            waiting()
        for job, error in in_processes(work, jobs, workers, waiting, period):
            if error is not None:
                left = [study for study in left if study != job._replace(worker=0)]
                yield job, error


def counted(study: Study) -> List[optuna.trial.FrozenTrial]:
    """The trials with a value among the first that ended, as many as each method has: where one was
    searched longer before, the others are not behind."""
    ended = study.open().get_trials(states=ENDED)[: study.trials]
    return [trial for trial in ended if trial.state == TrialState.COMPLETE]


def best_of(studies: List[Study]) -> Dict[str, Dict[str, Dict[str, Any]]]:
    """The best hyper-parameters, by data set and method."""
    best: Dict[str, Dict[str, Dict[str, Any]]] = {}
    for study in studies:
        found = max(counted(study), key=lambda trial: trial.value, default=None)
        if found is None:
            continue
        best.setdefault(study.data_set, {})[study.method] = {
            name: float(f"{value:.3g}") if isinstance(value, float) else value
            for name, value in found.params.items()
        }
    return best


def write(best: Dict[str, Dict[str, Dict[str, Any]]]) -> None:
    """Lays what was found over the table of what was found before."""
    table = json.loads(TABLE.read_text())
    for data_set, methods in best.items():
        table.setdefault(data_set, {}).update(methods)
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


def main() -> int:
    """Searches, shows what was found, and says what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = data_sets()
    parser.add_argument("--data-sets", nargs="+", choices=known, default=known)
    parser.add_argument("--methods", nargs="+", help="by default all that a data set has")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--storage", default=f"sqlite:///{ROOT}/runs/tuning.db")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    try:
        check_methods(arguments.data_sets, arguments.methods)
    except ValueError as error:
        parser.error(str(error))
    (ROOT / "runs").mkdir(exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console = Console()
    studies = [
        Study(data_set, method, arguments.storage, arguments.trials)
        for data_set in arguments.data_sets
        for method in arguments.methods or methods_of(data_set)
    ]
    alive = (*UNDER_WAY, TrialState.WAITING)
    for study in studies:
        opened = study.open()
        if not opened.get_trials(deepcopy=False, states=alive):
            opened.enqueue_trial(defaults(study.data_set, study.method))
    failed = 0
    progress = tqdm(total=sum(study.trials for study in studies), desc="tuning", unit="trial")

    def waiting() -> None:
        progress.n = sum(study.count(ENDED) for study in studies)
        progress.refresh()

    for study, error in search(studies, arguments.workers, waiting):
        name = f"{study.data_set}/{study.method}"
        if error is not None:
            failed += 1
            console.print(f"{name}: {type(error).__name__}: {error}", markup=False)
            continue
        values = [100 * trial.value for trial in counted(study)]
        best_value = f"{max(values):.2f}" if values else "none"
        console.print(
            f"{name}: {best_value} on validation data, of {len(values)} trials with a value"
        )
    waiting()
    progress.close()
    best = best_of(studies)
    console.print_json(json.dumps(best))
    if arguments.write:
        write(best)
        console.print(f"Written to {TABLE}.")
    return int(failed > 0)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    raise SystemExit(main())
