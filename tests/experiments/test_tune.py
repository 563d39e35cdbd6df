"""The search of hyper-parameters, with a training whose best setting is known."""

import functools
import json
import math
import os
import shutil
import signal
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import optuna
import pytest
from optuna.trial import TrialState
from shipped import config_of

from benchmarks import common
from experiments import train_all, tune
from structured_energy.training import MinimaxTrainer, NanLossError

METHOD = "cross_entropy"
pytestmark = pytest.mark.filterwarnings("ignore:.*experimental")


@pytest.fixture()
def study(tmp_path, monkeypatch):
    trained = []

    def train(config, folder):
        trained.append(config)
        lr = config["trainer"]["optimizer"]["lr"]
        return {"best_validation_example_f1": -abs(math.log10(lr / 2e-3))}

    monkeypatch.setattr(tune, "train", train)
    study = tune.Study("digits", METHOD, f"sqlite:///{tmp_path}/tuning.db", 6)
    study.open().enqueue_trial(tune.defaults("digits", METHOD))
    return study, trained


def test_it_finds_the_best_and_starts_with_the_table(study):
    study, trained = study
    tune.work(study)
    assert len(trained) == 6
    table = common.config_of("digits", METHOD, 0, {})
    assert trained[0]["trainer"]["optimizer"] == table["trainer"]["optimizer"]
    best = tune.best_of([study])["digits"][METHOD]
    rates = [config["trainer"]["optimizer"]["lr"] for config in trained]
    assert best["lr"] == pytest.approx(min(rates, key=lambda lr: abs(math.log(lr / 2e-3))), 1e-2)
    assert best.keys() == tune.search_space("digits", METHOD).keys()


def test_it_goes_on_where_it_stopped(study):
    study, trained = study
    tune.work(study._replace(trials=2))
    tune.work(study)
    tune.work(study)
    assert len(trained) == 6
    assert len(study.open().get_trials(states=(TrialState.COMPLETE,))) == 6


def test_a_longer_search_of_before_is_no_advantage(study):
    study, trained = study
    tune.work(study)
    fewer = study._replace(trials=2)
    rates = [config["trainer"]["optimizer"]["lr"] for config in trained[:2]]
    best = tune.best_of([fewer])["digits"][METHOD]
    assert best["lr"] == pytest.approx(min(rates, key=lambda lr: abs(math.log(lr / 2e-3))), 1e-2)


def test_a_loss_that_became_nan_is_a_trial_without_a_value(study, monkeypatch):
    study, trained = study

    def nan_first(config, folder, train=tune.train):
        value = train(config, folder)
        if len(trained) < 3:
            raise NanLossError("The training loss became NaN")
        return value

    monkeypatch.setattr(tune, "train", nan_first)
    tune.work(study)
    assert len(trained) == 6 and len(tune.counted(study)) == 4
    assert tune.best_of([study._replace(trials=2)]) == {}


def test_what_no_setting_mends_ends_the_search(study, monkeypatch):
    def missing(config, folder):
        raise ValueError("Expected bibtex/bibtex.xml")

    monkeypatch.setattr(tune, "train", missing)
    with pytest.raises(ValueError, match="Expected bibtex"):
        tune.work(study[0])


def test_a_search_that_failed_says_so_and_begins_with_the_table_again(
    tmp_path, monkeypatch, capsys
):
    storage = f"sqlite:///{tmp_path}/tuning.db"
    arguments = ["tune.py", "--data-sets", "digits", "--methods", METHOD, "--trials", "1"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--storage", storage])
    monkeypatch.setattr(tune, "ROOT", tmp_path)
    values = iter([ValueError("no data"), 0.5])
    trained = []

    def train(config, folder):
        trained.append(config["trainer"]["optimizer"])
        value = next(values)
        if isinstance(value, Exception):
            raise value
        return {"best_validation_example_f1": value}

    def in_processes(function, jobs, workers, waiting, period):
        for job in jobs:
            try:
                yield job, function(job)
            except ValueError as error:
                yield job, error
        waiting()

    monkeypatch.setattr(tune, "train", train)
    monkeypatch.setattr(tune, "in_processes", in_processes)
    assert tune.main() == 1
    assert tune.main() == 0
    assert "tuning: 100%" in capsys.readouterr().err
    table = common.config_of("digits", METHOD, 0, {})["trainer"]["optimizer"]
    assert trained == [table, table]


def test_the_test_data_are_not_read(study):
    study, trained = study
    tune.work(study._replace(trials=1))
    assert "test_data_path" not in trained[0] and "evaluate_on_test" not in trained[0]
    assert "test" not in json.dumps(trained[0])


def test_workers_draw_different_settings(study):
    study, trained = study
    for worker in (0, 1):
        tune.work(study._replace(worker=worker, trials=3 + worker * 2))
    rates = [config["trainer"]["optimizer"]["lr"] for config in trained]
    assert len(set(rates)) == 5


def test_what_was_found_is_what_the_configs_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tune, "TABLE", tmp_path / "tuned.json")
    tune.TABLE.write_text('{"digits": {"dvn": {"lr": 1}}, "scene": {}}')
    tune.write({"digits": {METHOD: {"lr": 0.5}}})
    assert json.loads(tune.TABLE.read_text()) == {
        "digits": {"dvn": {"lr": 1}, METHOD: {"lr": 0.5}},
        "scene": {},
    }
    given = common.config_of("digits", METHOD, 3, {"lr": 0.5})
    assert given["trainer"]["optimizer"]["lr"] == 0.5
    assert {given[key] for key in ("random_seed", "numpy_seed", "pytorch_seed")} == {3}


@pytest.mark.parametrize("data_set", ["digits", "twpos"])
def test_the_search_spaces_are_of_hyper_parameters_that_the_methods_use(data_set):
    for method in common.methods_of(data_set):
        defaults = tune.defaults(data_set, method)
        plain = common.config_of(data_set, method, 0, defaults)
        for name, where in tune.search_space(data_set, method).items():
            others = where.get("choices", [where.get("low"), where.get("high")])
            other = next(value for value in others if value != defaults[name])
            changed = common.config_of(data_set, method, 0, {**defaults, name: other})
            assert changed != plain, f"{method} does not use {name}"


def test_what_a_method_was_tuned_to_is_its_own(monkeypatch, tmp_path):
    for file in common.LIB.glob("*.libsonnet"):
        shutil.copy(file, tmp_path)
    tuned = {"twpos": {"crf": {"lr": 0.11}, "inference_network_high_order": {"score_lr": 0.12}}}
    methods = common.methods_of("twpos")
    monkeypatch.setattr(common, "LIB", tmp_path)
    (tmp_path / "tuned.json").write_text("{}")
    plain = {m: common.config_of("twpos", m) for m in methods}
    (tmp_path / "tuned.json").write_text(json.dumps(tuned))
    changed = {m for m in methods if common.config_of("twpos", m) != plain[m]}
    assert changed == {"crf", "inference_network_high_order"}
    for data_set in ("twpos", "ud_english_ewt"):  # the second was not searched itself
        assert common.config_of(data_set, "crf")["trainer"]["optimizer"]["lr"] == 0.11


def test_only_missing_runs_are_trained(tmp_path, monkeypatch, capsys):
    there = common.Experiment("digits", METHOD, 0).folder(tmp_path)
    there.mkdir(parents=True)
    (there / "metrics.json").write_text("{}")
    jobs = []

    def in_processes(function, missing, workers):
        jobs.extend(missing)
        assert isinstance(function, functools.partial) and workers == 2
        yield missing[0], ("example_f1", 0.5, 3.0)
        yield missing[1], ValueError("The training loss became NaN")

    monkeypatch.setattr(train_all, "in_processes", in_processes)
    arguments = ["--data-sets", "digits", "--methods", METHOD, "--workers", "2"]
    monkeypatch.setattr(sys, "argv", ["train_all.py", *arguments, "--runs", str(tmp_path)])
    assert train_all.main() == 1
    assert [job.seed for job in jobs] == [1, 2]
    text, bar = capsys.readouterr()
    assert "training" in bar and "2/2" in bar
    assert "test example_f1 50.00, 3 s" in text and "failed, ValueError" in text


def test_jobs_in_processes(capfd):
    waits = []
    jobs = [0.0, "no number", 1.0]
    found = dict(common.in_processes(math.sqrt, jobs, 1, lambda: waits.append(len(waits)), 0.1))
    assert found[0.0] == 0.0 and found[1.0] == 1.0 and isinstance(found["no number"], TypeError)
    assert len(waits) > 1  # while the process starts


def kill(path):
    """Kills its process the first time, and always where the path is a folder."""
    if path.is_dir() or not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_a_job_whose_process_is_killed_is_begun_once_more(tmp_path):
    once = tmp_path / "once"
    found = dict(common.in_processes(kill, [once, tmp_path], 2))
    assert found[once] == "done" and isinstance(found[tmp_path], BrokenProcessPool)


def work_and_die(study, folder, grace):
    """Works at a study whose training takes no time; worker 1 is killed in its first trial."""
    tune.GRACE, tune.HEARTBEAT = grace, 1

    def train(config, run):
        if study.worker == 1 and not (folder / "killed").exists():
            (folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.3)
        return {"best_validation_example_f1": config["trainer"]["optimizer"]["lr"]}

    tune.train = train
    tune.work(study)


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
@pytest.mark.parametrize(("where", "grace"), [("here", 1000), ("on another machine", 15)])
def test_a_search_has_all_its_trials_where_a_worker_is_killed(tmp_path, monkeypatch, where, grace):
    study = tune.Study("digits", METHOD, f"sqlite:///{tmp_path}/tuning.db", 6)
    monkeypatch.setattr(tune, "GRACE", grace)
    monkeypatch.setattr(tune, "HEARTBEAT", 1)
    opened = study.open()
    if where == "on another machine":
        (tmp_path / "killed").touch()
        lost = opened.ask()
        lost.set_user_attr("process", ["another", os.getpid()])
        opened._storage.record_heartbeat(lost._trial_id)
    work = functools.partial(work_and_die, folder=tmp_path, grace=grace)
    ended = list(tune.search([study], 2, lambda: None, work, period=0.1))
    assert ended == [(study, None)]
    states = [trial.state for trial in opened.get_trials()]
    # One more where both workers began at the same moment what was then the last.
    assert states.count(TrialState.FAIL) == 1 and states.count(TrialState.COMPLETE) in (6, 7)
    assert len(states) == 1 + states.count(TrialState.COMPLETE)
    assert len(tune.counted(study)) == 6


def test_one_missing_trial_is_begun_by_one_worker(tmp_path):
    study = tune.Study("digits", METHOD, f"sqlite:///{tmp_path}/tuning.db", 3)
    for _ in range(2):
        study.open().add_trial(optuna.trial.create_trial(value=0.5))
    (tmp_path / "killed").touch()
    work = functools.partial(work_and_die, folder=tmp_path, grace=1000)
    assert list(tune.search([study], 2, lambda: None, work, period=0.1)) == [(study, None)]
    assert len(study.open().get_trials()) == 3


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
    config = common.config_of("digits", METHOD, 1)
    config["trainer"]["num_epochs"] = 2
    whole = common.train(config, tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stopped(self, epoch, train_epoch=MinimaxTrainer._train_epoch):
        if epoch == 1:
            raise Stopped
        return train_epoch(self, epoch)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(MinimaxTrainer, "_train_epoch", stopped)
        common.train(config, tmp_path / "run")
    trained = []

    def counted(self, batch, for_training, outputs=MinimaxTrainer.batch_outputs):
        if for_training:
            trained.append(self._epochs_completed)
        return outputs(self, batch, for_training)

    monkeypatch.setattr(MinimaxTrainer, "batch_outputs", counted)
    again = common.train(config, tmp_path / "run")
    for key, value in whole.items():
        assert key.endswith(("duration", "memory_MB")) or again[key] == value, key
    assert set(trained) == {1}  # of two epochs one was there
    changed = {**config, "pytorch_seed": 7}
    common.train(changed, tmp_path / "run")  # another config begins anew
    assert json.loads((tmp_path / "run" / "config.json").read_text())["pytorch_seed"] == 7


def test_a_run_is_trained_as_the_command_does(tmp_path, monkeypatch):
    config = common.config_of("digits", METHOD, 1)
    config["trainer"]["num_epochs"] = 1
    monkeypatch.setattr(train_all, "config_of", lambda *experiment: config)
    experiment = common.Experiment("digits", METHOD, 1)
    metric, value, _ = train_all.run(experiment, tmp_path)
    folder = experiment.folder(tmp_path)
    assert json.loads((folder / "metrics.json").read_text())[f"test_{metric}"] == value
    assert (folder / "model.tar.gz").exists()
    assert json.loads((folder / "config.json").read_text())["pytorch_seed"] == 1


def test_data_sets_have_the_methods_of_their_task(monkeypatch, capsys):
    assert "spen" in common.methods_of("digits") and "crf" not in common.methods_of("digits")
    assert "crf" in common.methods_of("twpos") and "dvn" not in common.methods_of("twpos")
    for data_set in ("digits", "twpos"):
        for method in common.methods_of(data_set):
            folder = common.LIB.parent / common.task_of(data_set) / data_set
            shipped = config_of(folder / f"{method}.jsonnet")
            assert common.config_of(data_set, method) == shipped
    monkeypatch.setattr(sys, "argv", ["train_all.py", "--data-sets", "digits", "--methods", "crf"])
    with pytest.raises(SystemExit):
        train_all.main()
    assert "expected a method of digits" in capsys.readouterr().err
