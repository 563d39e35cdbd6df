"""The search of hyper-parameters, with trainings whose values are known."""

import json
import math
import os
import subprocess
import sys

import pytest
from allennlp.common.checks import ConfigurationError
from forked_command import allennlp
from sweeps.configs import plain_config

from structured_energy.sweeps import ConfigFile, Outcome, Settings, Tuning, tuning

SPACE = {
    "trainer.optimizer.lr": {"log": [1e-4, 1.0]},
    "model.task_network": {"choices": ["a", [1]]},
}


class Trainings:
    """Stands for processes: trains at once, as good as the learning rate is near to 2e-3."""

    def __init__(self, limit, packages=()):
        self.limit = limit

    trained, states, stops = [], {}, []

    def run(self, jobs, is_to_stop):
        for job in jobs:
            type(self).trained.append(job)
            state = self.states.get(len(self.trained), "finished")
            if state == "cut off":
                raise KeyboardInterrupt
            value = -abs(math.log10(job.config["trainer"]["optimizer"]["lr"] / 2e-3))
            job.folder.mkdir(parents=True)
            (job.folder / "best.th").touch()
            (job.folder / "config.json").write_text(json.dumps(job.config))
            for epoch in range(10):
                metrics = {"best_validation_example_f1": value if epoch else -9.0}
                (job.folder / f"metrics_epoch_{epoch}.json").write_text(json.dumps(metrics))
                if is_to_stop(job):
                    type(self).stops.append((job.key.number, epoch))
                    state = "stopped"
                    break
            if state == "no number":
                value, state = math.nan, "finished"
            metrics = {"best_validation_example_f1": value} if state == "finished" else {}
            yield Outcome(job, state, metrics, "" if metrics else f"It {state}.", 0.0)


@pytest.fixture()
def search(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "Jobs", Trainings)
    Trainings.trained, Trainings.states, Trainings.stops = [], {}, []
    config = plain_config(tmp_path)
    config["trainer"].update(num_epochs=10, optimizer={"type": "adamw", "lr": 0.01})
    path = tmp_path / "mine.json"

    def start(trials=6, space=SPACE, prune=False, lines=None, **settings):
        path.write_text(json.dumps(config))
        settings = Settings(trials, prune=prune, **settings)
        found = Tuning(ConfigFile(path), space, tmp_path / "out", settings)
        return found.run(print if lines is None else lines.append)

    start.config = config
    start.out = tmp_path / "out"
    return start


def rates():
    return [job.config["trainer"]["optimizer"]["lr"] for job in Trainings.trained]


@pytest.mark.parametrize("sampler", tuning.SAMPLERS)
def test_it_finds_the_best_and_starts_with_the_config(search, sampler):
    best = search(sampler=sampler)
    assert len(rates()) == len(set(rates())) == 6 and rates()[0] == 0.01
    nearest = min(rates(), key=lambda rate: abs(math.log(rate / 2e-3)))
    assert best.values["trainer.optimizer.lr"] == pytest.approx(nearest, 1e-2)
    own = search.config["model"]["task_network"]
    assert best.values["model.task_network"] in ("a", [1], own)
    assert best.config["trainer"]["optimizer"]["lr"] == best.values["trainer.optimizer.lr"]
    assert all(1e-4 <= rate <= 1 for rate in rates())
    kept = [path.parent.name for path in search.out.rglob("best.th")]
    assert kept == [str(best.number)]


def test_the_first_trial_is_the_config_with_values_outside_of_the_space(search):
    lines = []
    space = {**SPACE, "trainer.optimizer.lr": {"log": [0.1, 1.0]}}
    before = json.loads(json.dumps(search.config))
    search(trials=3, space=space, lines=lines)
    first = Trainings.trained[0].config
    assert {key: first[key] for key in ("model", "trainer")} == {
        key: before[key] for key in ("model", "trainer")
    }
    assert all(0.1 <= rate <= 1 for rate in rates()[1:])
    assert "trial 0 is the config as it is, outside of the search space: " in lines[0]
    assert "trainer.optimizer.lr 0.01, model.task_network {" in lines[0]


def test_the_first_trial_has_the_hyper_parameters_in_force(search, tmp_path, monkeypatch):
    path = tmp_path / "mine.jsonnet"
    path.write_text(
        "(import 'structured_energy/multi_label.libsonnet').cross_entropy("
        "{ train: 'a.arff', hidden: [16], lr: 0.003, dropout: 0.3 })"
    )
    space = {"hidden": {"choices": [[16], [32]]}, "lr": {"log": [1e-4, 1e-2]}}
    space["dropout"] = {"uniform": [0.5, 0.8]}
    lines = []
    Tuning(ConfigFile(path), space, tmp_path / "out", Settings(1)).run(lines.append)
    (job,) = Trainings.trained
    assert job.key.params == {"hidden": "[16]", "lr": 0.003}
    expected = ConfigFile(path).config(seed=0)
    assert job.config == expected and "dropout 0.3" in lines[0]


def test_no_trial_reads_the_test_data(search):
    best = search(trials=2)
    for job in Trainings.trained:
        assert "test_data_path" not in job.config and "evaluate_on_test" not in job.config
    assert best.config["test_data_path"] and best.config["evaluate_on_test"] is True


def test_it_resumes_and_counts_what_has_ended(search):
    search(trials=2)
    search(trials=5)
    assert len(rates()) == len(set(rates())) == 5
    best = search(trials=5)
    assert len(rates()) == 5
    # A search that was longer before is no advantage.
    first = min(rates()[:2], key=lambda rate: abs(math.log(rate / 2e-3)))
    assert search(trials=2).values["trainer.optimizer.lr"] == pytest.approx(first, 1e-2)
    assert best.value >= search(trials=2).value


def test_a_trial_that_was_cut_off_is_resumed_with_its_values(search):
    Trainings.states = {2: "cut off"}
    with pytest.raises(KeyboardInterrupt):
        search(trials=3)
    lost = Trainings.trained[1]
    search(trials=3)
    again = Trainings.trained[2]
    assert (again.folder, again.config) == (lost.folder, lost.config)
    assert len(Trainings.trained) == 4


def test_failures_are_said_and_do_not_count(search):
    Trainings.states = {1: "failed", 2: "nan", 3: "failed"}
    lines = []
    best = search(trials=3, lines=lines)
    assert len(rates()) == 5 and best is not None
    assert sum("failed after 0 s: It failed." in line for line in lines) == 2
    assert sum("It nan." in line for line in lines) == 1


def test_a_metric_that_is_no_number_is_a_failure(search):
    Trainings.states = {1: "no number"}
    lines = []
    best = search(trials=2, lines=lines)
    assert len(rates()) == 3 and math.isfinite(best.value)
    assert any("failed: validation example_f1 is nan" in line for line in lines)


def test_a_search_in_which_nothing_works_ends(search):
    Trainings.states = dict.fromkeys(range(1, 20), "failed")
    assert search(trials=3) is None and len(rates()) == 3


def test_an_error_in_the_config_ends_the_search(search):
    Trainings.states = {1: "config"}
    with pytest.raises(ConfigurationError, match="trial 0: It config"):
        search()


def test_trials_worse_than_the_median_are_stopped_early(search):
    lines = []
    search(trials=14, prune=True, lines=lines)
    assert Trainings.stops and all(number >= 5 and epoch >= 2 for number, epoch in Trainings.stops)
    assert sum("stopped early" in line for line in lines) == len(Trainings.stops)
    assert len(rates()) == 14


def test_a_metric_that_is_to_be_low(search):
    search.config["trainer"]["validation_metric"] = "-example_f1"
    best = search()
    farthest = max(rates(), key=lambda rate: abs(math.log(rate / 2e-3)))
    assert best.values["trainer.optimizer.lr"] == pytest.approx(farthest, 1e-2)


def test_another_space_or_config_does_not_resume(search):
    search(trials=1)
    with pytest.raises(ConfigurationError, match="search space of the search.*choose another"):
        search(trials=2, space={"trainer.optimizer.lr": {"log": [1e-4, 0.1]}})
    search.config["trainer"]["num_epochs"] = 3
    with pytest.raises(ConfigurationError, match="config of the search.*choose another"):
        search(trials=2)


def test_validation_data_are_needed(search):
    del search.config["validation_data_path"]
    with pytest.raises(ConfigurationError, match="validation_data_path"):
        search()


def test_without_optuna_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigurationError, match=r"structured-energy\[tuning\]"):
        tuning.import_optuna()


def test_the_command(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(plain_config(tmp_path)))
    flags = ["--trials", 2, "--jobs", 2, "--space", "{'trainer.optimizer.lr': {log: [1e-3, 1e-1]}}"]
    flags += ["--include-package", "structured_energy"]
    result = allennlp("tune", "mine.json", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    out = tmp_path / "runs" / "tune" / "mine"
    assert "2 of 2 trials to run" in result.stdout and "best.json" in result.stdout
    for number in (0, 1):
        assert "test_" not in (out / "trials" / str(number) / "metrics.json").read_text()
        assert f"trial {number}: validation example_f1 0." in result.stdout
    best = json.loads((out / "best.json").read_text())
    assert best["test_data_path"] == best["validation_data_path"]
    assert 1e-3 <= best["trainer"]["optimizer"]["lr"] <= 1e-1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hiden", "mine.jsonnet: expected a key that the .*, got 'hiden'; did you mean 'hidden'?"),
        ("trainer.optimizer.weight_decy", "got 'weight_decy'; did you mean 'weight_decay'?"),
    ],
)
def test_a_misspelt_name_of_the_space_is_said_before_the_first_trial(name, words, tmp_path):
    path = tmp_path / "mine.jsonnet"
    path.write_text(
        "(import 'structured_energy/multi_label.libsonnet').cross_entropy({ train: 'a.arff' })"
    )
    space = {"lr": {"log": [1e-4, 1e-2]}, name: {"choices": [0.1, 0.2]}}
    with pytest.raises(ConfigurationError, match=words):
        Tuning(ConfigFile(path), space, tmp_path / "out", Settings(1))
    assert not (tmp_path / "out").exists()


def test_experiments_tune_writes_the_table(tmp_path):
    table = tmp_path / "tuned.json"
    table.write_text('{"digits": {"dvn": {"lr": 1}}, "scene": {}}')
    command = [sys.executable, "-m", "experiments.tune", "--data-sets", "digits", "--trials", "1"]
    command += ["--methods", "cross_entropy", "--out", tmp_path, "--table", table]
    command += [
        "-o",
        '{"trainer.num_epochs": 1, "train_data_path": "embedded://digits/validation"}',
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    written = json.loads(table.read_text())
    assert written["digits"].pop("cross_entropy").keys() == {"lr", "dropout", "weight_decay"}
    assert written == {"digits": {"dvn": {"lr": 1}}, "scene": {}}
