"""Weights that change during training."""

import json
import math

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from snippets import network

from structured_energy.losses import (
    CombinationLoss,
    LinearWeight,
    Loss,
    ScoreLoss,
    WeightSchedule,
    ZeroLoss,
    start_epoch,
)
from structured_energy.samplers import GradientBasedInferenceSampler
from structured_energy.testing import data_config, evaluate_jsonnet, merged, train_snippet


def build(problem, schedule):
    return problem.build(
        Loss,
        "{type: 'combination', constituents: ['score', {type: 'score', log_key: 'second'}], "
        f"weights: [{schedule}, 0]}}",
    )


SCHEDULES = {
    "{type: 'constant', value: 3}": [3, 3, 3, 3, 3, 3],
    "{type: 'linear', start: 1, end: 3, num_steps: 4}": [1, 1.5, 2, 2.5, 3, 3],
    "{type: 'cosine', start: 1, end: 3, num_steps: 4}": [
        1,
        2 - math.cos(math.pi / 4),
        2,
        2 + math.cos(math.pi / 4),
        3,
        3,
    ],
    "{type: 'exponential', start: 1, end: 16, num_steps: 4}": [1, 2, 4, 8, 16, 16],
    "{type: 'stepwise', boundaries: [2, 3], values: [1, 5, 2]}": [1, 1, 5, 2, 2, 2],
}


@pytest.mark.parametrize("schedule", [each for each in SCHEDULES if "constant" not in each])
def test_the_weight_is_constant_within_an_epoch_where_its_unit_is_one(problem, schedule):
    loss = build(problem, schedule.replace("}", ", unit: 'epochs'}")).train()
    sample = problem.sample()
    once = ScoreLoss(problem.score_network)(problem.x, problem.truth, sample)
    for epoch, expected in enumerate(SCHEDULES[schedule]):
        start_epoch(loss, epoch)
        for _ in range(3):
            torch.testing.assert_close(loss(problem.x, problem.truth, sample), expected * once)
    restored = build(problem, schedule.replace("}", ", unit: 'epochs'}")).eval()
    restored.load_state_dict(loss.state_dict())
    torch.testing.assert_close(restored(problem.x, problem.truth, sample), expected * once)


def test_a_unit_of_epochs_needs_a_trainer_that_starts_them(problem):
    loss = build(problem, "{type: 'linear', start: 1, end: 2, num_steps: 3, unit: 'epochs'}")
    with pytest.raises(ConfigurationError, match="use the trainer 'minimax'"):
        loss.train()(problem.x, problem.truth, problem.sample())
    with pytest.raises(ConfigurationError, match="'steps' or 'epochs' .*got 'epoch'"):
        LinearWeight(0.0, 1.0, 2, unit="epoch")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_weight_follows_its_schedule_only_in_training(problem, schedule):
    loss = build(problem, schedule)
    sample = problem.sample()
    once = ScoreLoss(problem.score_network)(problem.x, problem.truth, sample)
    for expected in SCHEDULES[schedule]:
        for training in (False, False, True):
            loss.train(training)
            torch.testing.assert_close(loss(problem.x, problem.truth, sample), expected * once)
            assert loss.get("weight.0") == pytest.approx(expected)


def test_a_schedule_resumes_from_a_checkpoint(problem):
    schedule = "{type: 'linear', start: 0, end: 1, num_steps: 10}"
    first, second = build(problem, schedule), build(problem, schedule)
    for _ in range(7):
        first(problem.x, problem.truth, problem.sample())
    second.load_state_dict(first.state_dict())
    second(problem.x, problem.truth, problem.sample())
    assert second.get("weight.0") == pytest.approx(0.7)


def test_numbers_are_not_logged():
    assert set(CombinationLoss([ZeroLoss()], [2.0]).logging_buffer) == {"value"}


@pytest.mark.parametrize(
    "snippet",
    [
        {"type": "linear", "start": 0.0, "end": 1.0, "num_steps": 0},
        {"type": "stepwise", "boundaries": [3, 2], "values": [1.0, 2.0, 3.0]},
        {"type": "stepwise", "boundaries": [3], "values": [1.0]},
        {"type": "exponential", "start": 0.0, "end": 1.0, "num_steps": 3},
    ],
)
def test_bad_schedules_are_named(snippet):
    with pytest.raises(ConfigurationError, match="Expected (a schedule|increasing|weights)"):
        WeightSchedule.by_name(snippet.pop("type"))(**snippet)


SCHEDULE = "{type: 'linear', start: 0, end: 1, num_steps: 100}"
ADVERSARIAL = f"{{type: 'combination', constituents: ['inference'], weights: [{SCHEDULE}]}}"
DESCENT = f"{{type: 'gradient-based-inference', num_steps: 7, adversarial: {ADVERSARIAL}}}"
# Only the score network; also a task network that learns from the inference, or from the samples
# of the score network.
MODELS = {
    "sampler": f"sampler: {DESCENT}",
    "nested": "sampler: {type: 'appending-container', "
    f"constituents: ['ground-truth', {DESCENT}]}}, "
    f"task_network: {network()}, "
    "inference: {type: 'inference-network', loss: 'score'}",
    "shared": "sampler: {type: 'appending-container', loss: 'cross-entropy', "
    f"constituents: ['inference-network', {DESCENT}]}}, "
    f"task_network: {network()}",
}


def weights_of(model):
    return [part.step for part in model.modules() if isinstance(part, WeightSchedule)]


@pytest.mark.parametrize("kind", MODELS)
def test_a_schedule_in_a_sampler_counts_the_steps_of_the_score_network(problem, tiny_model, kind):
    model = tiny_model(
        f"{{score_network: {network()}, loss: 'margin-based', "
        f"oracle_value: 'per-instance-f1', {MODELS[kind]}}}"
    )
    x, labels = problem.x.float(), problem.labels
    for step in range(3):
        assert weights_of(model.train()) == [step]
        for role in model.losses:
            with model.optimizing(role):
                model(x, labels)["loss"].backward()
        assert weights_of(model) == [step + 1]
        model.eval()(x, labels)
        model(x)
        assert weights_of(model) == [step + 1]
    with model.train().optimizing("score_network"):
        for _ in range(2):
            model(x, labels)
    assert weights_of(model) == [5]


def test_the_weight_is_constant_within_a_descent(problem):
    seen = []

    class Recorded(ScoreLoss):
        def compute(self, x, truth, sample, mask):
            seen.append(schedule.value)
            return super().compute(x, truth, sample, mask)

    schedule = LinearWeight(1.0, 2.0, 10)
    loss = CombinationLoss([Recorded(problem.score_network, reduction="none")], [schedule])
    sampler = GradientBasedInferenceSampler(
        problem.output_space, problem.score_network, num_steps=4, adversarial=loss
    )
    for step in range(2):
        seen.clear()
        sampler.sample(problem.x, problem.truth)
        assert len(seen) == 5
        # The last computation counts the step, with the weight of the others.
        assert seen[:4] == [1 + step / 10] * 4
        assert loss.get("weight.0") == pytest.approx(1 + step / 10)


def test_a_schedule_in_a_sampler_is_recovered_and_not_counted_in_validation(tmp_path):
    snippet = (
        f"{{model: {{type: 'structured-energy', output_space: 'binary', loss: 'margin-based', "
        f"score_network: {network()}, oracle_value: 'per-instance-f1', "
        f"{MODELS['nested']}}}, trainer: {{type: 'minimax', optimizer: 'adam', num_epochs: 3, "
        "steps: {score_network: 2, task_network: 1}}}"
    )

    def counted(epoch):
        (path,) = (tmp_path / "run").glob(f"model_state_e{epoch}_*.th")
        state = torch.load(path, weights_only=True)
        (steps,) = [value for name, value in state.items() if "weights.0" in name]
        return int(steps)

    train_snippet(snippet, tmp_path)
    batches = 3  # of 24 instances, by 8
    assert [counted(2), counted(3)] == [4 * batches, 6 * batches]
    for path in (tmp_path / "run").glob("*_state_e3_*.th"):
        path.unlink()  # as if the run was killed in its last epoch
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(snippet))
    train_model(Params(config), str(tmp_path / "run"), recover=True)
    assert counted(3) == 6 * batches


def test_weights_by_epochs_are_those_of_the_trainer_also_when_it_is_recovered(tmp_path):
    by_epochs = "{type: 'stepwise', boundaries: [1, 2], values: [0, 5, 9], unit: 'epochs'}"
    snippet = (
        f"{{model: {{type: 'structured-energy', output_space: 'binary', loss: 'margin-based', "
        f"score_network: {network()}, task_network: {network()}, oracle_value: 'per-instance-f1', "
        "sampler: {type: 'inference-network', loss: {type: 'combination', "
        f"constituents: ['score', 'cross-entropy'], weights: [{by_epochs}, 1]}}}}}}, "
        "trainer: {type: 'minimax', optimizer: 'adam', num_epochs: 3}}"
    )
    name = "sampler.loss.weight.0"

    def logged():
        files = [tmp_path / "run" / f"metrics_epoch_{epoch}.json" for epoch in range(3)]
        values = [json.loads(file.read_text()) for file in files]
        return [(each[f"training_{name}"], each[f"validation_{name}"]) for each in values]

    whole = train_snippet(snippet, tmp_path).state_dict()
    assert logged() == [(0, 0), (5, 5), (9, 9)]
    for path in (*(tmp_path / "run").glob("*_state_e3_*.th"), tmp_path / "run/model.tar.gz"):
        path.unlink()  # as if the run was killed in its last epoch
    (tmp_path / "run" / "metrics_epoch_2.json").unlink()
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(snippet))
    resumed = train_model(Params(config), str(tmp_path / "run"), recover=True).state_dict()
    assert logged() == [(0, 0), (5, 5), (9, 9)]
    for key, value in whole.items():
        torch.testing.assert_close(resumed[key], value, rtol=0, atol=0, msg=key)
