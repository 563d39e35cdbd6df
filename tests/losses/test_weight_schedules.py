"""Weights that change with training."""

import math

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.losses import CombinationLoss, Loss, ScoreLoss, WeightSchedule, ZeroLoss


def build(world, schedule):
    return world.build(
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
    "{type: 'stepwise', boundaries: [2, 3], values: [1, 5, 2]}": [1, 1, 5, 2, 2, 2],
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_weight_follows_its_schedule_in_training_alone(world, schedule):
    loss = build(world, schedule)
    sample = world.sample()
    once = ScoreLoss(world.score_network)(world.x, world.truth, sample)
    for expected in SCHEDULES[schedule]:
        for training in (False, False, True):
            loss.train(training)
            torch.testing.assert_close(loss(world.x, world.truth, sample), expected * once)
            assert loss.get("weight.0") == pytest.approx(expected)


def test_a_schedule_goes_on_where_it_was_saved(world):
    schedule = "{type: 'linear', start: 0, end: 1, num_steps: 10}"
    first, second = build(world, schedule), build(world, schedule)
    for _ in range(7):
        first(world.x, world.truth, world.sample())
    second.load_state_dict(first.state_dict())
    second(world.x, world.truth, world.sample())
    assert second.get("weight.0") == pytest.approx(0.7)


def test_numbers_are_not_logged():
    assert set(CombinationLoss([ZeroLoss()], [2.0]).logging_buffer) == {"value"}


@pytest.mark.parametrize(
    "snippet",
    [
        {"type": "linear", "start": 0.0, "end": 1.0, "num_steps": 0},
        {"type": "stepwise", "boundaries": [3, 2], "values": [1.0, 2.0, 3.0]},
        {"type": "stepwise", "boundaries": [3], "values": [1.0]},
    ],
)
def test_bad_schedules_are_named(snippet):
    with pytest.raises(ConfigurationError, match="Expected (a schedule|increasing)"):
        WeightSchedule.by_name(snippet.pop("type"))(**snippet)
