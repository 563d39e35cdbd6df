"""The search of hyper-parameters by Optuna, on validation data."""

import json
import math
import shutil
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from allennlp.common.checks import ConfigurationError

from .config_file import ConfigFile
from .jobs import Job, Jobs, Outcome, locked
from .search_space import Space, check_space, own_values
from .sweep import tracked
from .worker import begun

SAMPLERS = ("tpe", "random")
STUDY = "tuning"
_OWN = "own"  # the values of a trial that are those of the config, outside of the search space
# Trials whose values the pruner compares before it stops any.
STARTUP = 5
_OF_TEST = ("test_data_path", "evaluate_on_test")
_WEIGHTS = ("*.th", "model.tar.gz")


class Settings(NamedTuple):
    """How to search.

    # Fields

    trials : the number of trials that shall have ended.
    limit : the number of processes.
    sampler : `tpe` (Bergstra et al. 2011) or `random`.
    prune : whether trials that are worse than the median of the others are stopped early.
    seed : of the draws and of every training.
    """

    trials: int = 20
    limit: int = 1
    sampler: str = "tpe"
    prune: bool = True
    seed: int = 0
    packages: Sequence[str] = ()


class Best(NamedTuple):
    """The best trial.

    # Fields

    values : the hyper-parameters.
    config : of the best trial, with the test data, which no trial has seen.
    """

    number: int
    value: float
    values: Dict[str, Any]
    config: Dict[str, Any]


def import_optuna() -> ModuleType:
    """Return Optuna, or raise `ConfigurationError` where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigurationError(
            "Expected the package optuna, which searches for 'allennlp tune', got none installed; "
            "install it by: pip install 'structured-energy[tuning]'."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # Trials that a resumed search continues are reported once more.
    warnings.filterwarnings("ignore", category=UserWarning, module="optuna")
    return optuna


class Tuning:
    """The search for the hyper-parameters of a config, in a folder from which it can be resumed.

    The folder has `study.db`, Optuna's study, and the runs `trials/N`. The runs keep their metrics;
    only the best one keeps its weights. No run reads the test data.

    # Raises

    `ConfigurationError` for a config without validation data, and for another search space than
    that of the search in the folder.
    """

    def __init__(
        self,
        file: ConfigFile,
        space: Space,
        out: Path,
        settings: Settings,
        method: Optional[str] = None,
    ) -> None:
        self._optuna = import_optuna()
        self.file, self.space, self.out, self.method = file, space, out, method
        self.settings = settings
        plain = file.config(method)
        if plain.get("validation_data_path") is None:
            raise ConfigurationError(
                f"Expected a config with a validation_data_path, on which hyper-parameters are "
                f"chosen, got {file.path}, which has none."
            )
        check_space(file, space, method)
        self.metric, self.lower_is_better = tracked(plain)
        self._epochs = plain["trainer"].get("num_epochs", 20)
        self._reported: Dict[int, int] = {}
        self._failures = 0

    def run(self, say: Callable[[str], None]) -> Optional[Best]:
        """Search until enough trials have ended, say a line for each, and return the best; `None`
        where no trial has a value."""
        with locked(self.out):
            self.study = self._open(say)
            done = len(self._ended())
            trials = self.settings.trials
            say(f"{max(0, trials - done)} of {trials} trials to run, in {self.out}")
            jobs = Jobs(self.settings.limit, self.settings.packages)
            for outcome in jobs.run(self._jobs(), self._is_worse):
                say(self._told(outcome))
            return self._best()

    def _open(self, say: Callable[[str], None]) -> Any:
        optuna = self._optuna
        seed = self.settings.seed
        samplers = {
            # Half of the trials are drawn at random before any is drawn by what others found.
            "tpe": partial(
                optuna.samplers.TPESampler,
                n_startup_trials=(self.settings.trials + 1) // 2,
                constant_liar=True,
            ),
            "random": optuna.samplers.RandomSampler,
        }
        pruner = (
            optuna.pruners.MedianPruner(STARTUP, n_warmup_steps=max(1, self._epochs // 5))
            if self.settings.prune
            else optuna.pruners.NopPruner()
        )
        storage = f"sqlite:///{self.out.resolve() / 'study.db'}"
        study = optuna.create_study(
            storage=storage,
            study_name=STUDY,
            direction="minimize" if self.lower_is_better else "maximize",
            pruner=pruner,
            load_if_exists=True,
        )
        # A resumed search draws other points than those that it has drawn.
        study.sampler = samplers[self.settings.sampler](seed=seed + len(study.trials))
        searched = {"search space": self.space, "config": self.file.config(self.method)}
        for name, value in searched.items():
            known = study.user_attrs.setdefault(name, value) if study.trials else value
            if known != value:
                raise ConfigurationError(
                    f"Expected the {name} of the search in {self.out} to resume it, got another "
                    f"one; choose another --out."
                )
            study.set_user_attr(name, value)
        if not study.trials:  # the first one is the config as it is
            inside, outside = own_values(self.file, self.space, self.method)
            for name, value in inside.items():
                inside[name] = json.dumps(value) if "choices" in self.space[name] else value
            study.enqueue_trial(inside, {_OWN: outside})
            if outside:
                said = ", ".join(f"{name} {json.dumps(value)}" for name, value in outside.items())
                say(f"trial 0 is the config as it is, outside of the search space: {said}")
        return study

    def _states(self, *names: str) -> List[Any]:
        states = [self._optuna.trial.TrialState[name] for name in names]
        return self.study.get_trials(deepcopy=False, states=states)

    def _ended(self) -> List[Any]:
        """Return the trials that count: a failure of the machine or of a process does not."""
        return self._states("COMPLETE", "PRUNED")

    def _jobs(self) -> Iterator[Job]:
        """Yield the trials that were cut off, then new ones until there are enough."""
        for frozen in self._states("RUNNING"):
            yield self._job(self._optuna.trial.Trial(self.study, frozen._trial_id))
        while len(self._ended()) + len(self._states("RUNNING")) < self.settings.trials:
            if self._failures >= self.settings.trials:  # nothing works
                return
            yield self._job(self.study.ask())

    def _job(self, trial: Any) -> Job:
        own = trial.user_attrs.get(_OWN, ())
        space = {name: where for name, where in self.space.items() if name not in own}
        values = {name: _suggest(trial, name, where) for name, where in space.items()}
        config = self.file.config(self.method, values, self.settings.seed)
        for key in _OF_TEST:
            config.pop(key, None)
        folder = self.out / "trials" / str(trial.number)
        if not begun(folder, config):
            shutil.rmtree(folder, ignore_errors=True)
        self._reported[trial.number] = 0
        return Job(f"trial {trial.number}", config, folder, trial)

    def _is_worse(self, job: Job) -> bool:
        """Report the epochs that have ended since the last time, and return whether to stop."""
        trial = job.key
        while True:
            epoch = self._reported[trial.number]
            file = job.folder / f"metrics_epoch_{epoch}.json"
            try:
                metrics = json.loads(file.read_text())
            except (OSError, json.JSONDecodeError):
                return False
            self._reported[trial.number] = epoch + 1
            # The best so far: what a run keeps.
            value = metrics.get(f"best_validation_{self.metric}")
            if isinstance(value, (int, float)):
                trial.report(float(value), epoch)
                if trial.should_prune():
                    return True

    def _told(self, outcome: Outcome) -> str:
        """Enter the outcome of a trial into the study, and return a line about it."""
        trial, state = outcome.job.key, self._optuna.trial.TrialState
        if outcome.state == "config":  # every other trial would end the same way
            self.study.tell(trial, state=state.FAIL)
            raise ConfigurationError(f"{outcome.job.name}: {outcome.trouble}")
        said, seconds = f"{outcome.job.name}", f"{outcome.seconds:.0f} s"
        values = ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
        if outcome.state == "finished":
            value = outcome.metrics.get(f"best_validation_{self.metric}")
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                self._failures += 1
                self.study.tell(trial, state=state.FAIL)
                return f"{said}: failed: validation {self.metric} is {value} ({values}), {seconds}"
            self.study.tell(trial, value)
            self._remove_weights()
            best = self.study.best_trial
            mark = ", the best so far" if best.number == trial.number else ""
            return f"{said}: validation {self.metric} {value:.4f}{mark} ({values}), {seconds}"
        if outcome.state == "failed":
            self._failures += 1
            self.study.tell(trial, state=state.FAIL)
            return f"{said}: failed after {seconds}: {outcome.trouble}"
        self.study.tell(trial, state=state.PRUNED)
        self._remove_weights()
        how = "stopped early" if outcome.state == "stopped" else outcome.trouble
        return f"{said}: {how} ({values}), {seconds}"

    def _remove_weights(self) -> None:
        complete = self._states("COMPLETE")
        kept = self.study.best_trial.number if complete else None
        for trial in self._ended():
            for pattern in _WEIGHTS if trial.number != kept else ():
                for path in (self.out / "trials" / str(trial.number)).glob(pattern):
                    path.unlink()

    def _best(self) -> Optional[Best]:
        """Return the best among the first trials that ended: a search that is longer than that of
        another method is no advantage."""
        counted = sorted(self._ended(), key=lambda trial: trial.datetime_complete)
        complete = [t for t in counted[: self.settings.trials] if t.value is not None]
        complete = [t for t in complete if t.state.name == "COMPLETE"]
        if not complete:
            return None
        sign = 1 if self.lower_is_better else -1
        found = min(complete, key=lambda trial: sign * trial.value)
        values = {name: _rounded(value) for name, value in found.params.items()}
        own = found.user_attrs.get(_OWN, {})
        return Best(
            found.number,
            found.value,
            {**values, **{name: own[name] for name in own if own[name] is not None}},
            self.file.config(self.method, values, self.settings.seed),
        )


def _suggest(trial: Any, name: str, where: Dict[str, Any]) -> Any:
    ((kind, limits),) = where.items()
    if kind == "choices":
        # Optuna chooses among numbers and text; a choice may be a list, such as hidden sizes.
        texts = [json.dumps(choice) for choice in limits]
        return json.loads(trial.suggest_categorical(name, texts))
    if kind == "integer":
        return trial.suggest_int(name, *limits)
    return trial.suggest_float(name, *limits, log=kind == "log")


def _rounded(value: Any) -> Any:
    """Return a value as it is written: three digits of a number, a choice as it was."""
    if isinstance(value, str):
        return json.loads(value)
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
