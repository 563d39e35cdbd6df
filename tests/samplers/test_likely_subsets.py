"""All sets of the few most probable labels, against enumeration."""

import itertools

import pytest
from allennlp.common.checks import ConfigurationError

from structured_energy.samplers import Sampler
from structured_energy.testing import make_test_problem


@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize(("among", "largest"), [(1, 1), (3, 2), (9, 9)])
def test_they_are_all_sets_of_the_most_probable_labels(among, smallest, largest):
    problem = make_test_problem()
    config = f"{{type: 'likely-subsets', among: {among}, smallest: {smallest}, largest: {largest}}}"
    y = problem.build(Sampler, config).sample(problem.x, None).y
    logits = problem.task_network(problem.x)
    for row, of_row in zip(y, logits, strict=True):
        order = sorted(range(4), key=lambda i: -of_row[i].item())[:among]
        expected = {
            frozenset(members)
            for size in range(smallest, min(largest, 4) + 1)
            for members in itertools.combinations(order, size)
        }
        found = [frozenset(labels.nonzero().flatten().tolist()) for labels in row]
        assert len(found) == len(set(found))
        assert set(found) == expected


def test_a_masked_label_is_in_no_set():
    problem = make_test_problem()
    sampler = problem.build(Sampler, "{type: 'likely-subsets', among: 4, largest: 4}")
    y = sampler.sample(problem.x, None, problem.mask).y
    assert not y.bool()[~problem.mask.unsqueeze(1).expand_as(y)].any()


@pytest.mark.parametrize(("among", "largest"), [(2, 3), (2, 0), (40, 20)])
def test_too_many_sets_are_refused(among, largest):
    config = f"{{type: 'likely-subsets', among: {among}, largest: {largest}}}"
    with pytest.raises(ConfigurationError, match=f"largest {largest} and among {among}"):
        make_test_problem().build(Sampler, config)
