"""The k best trees, against all trees of a few tokens."""

import heapq
import itertools

import pytest
import torch
from all_trees import all_trees

from structured_energy.dependency_trees import best_heads, best_ones, is_projective, is_tree

KINDS = list(itertools.product((True, False), (True, False)))
kinds = pytest.mark.parametrize(("single_root", "projective"), KINDS)


def labelled_trees(n, num_relations, kind):
    """All trees with relations: heads and relations, `(number of trees, n)`."""
    if not n:
        return torch.zeros(1, 0, dtype=torch.long), torch.zeros(1, 0, dtype=torch.long)
    trees = all_trees(n, *kind)
    relations = torch.tensor(list(itertools.product(range(num_relations), repeat=n)))
    return trees.repeat_interleave(len(relations), 0), relations.repeat(len(trees), 1)


def sums(logits, heads, relations):
    """The sum of logits `(n, n + 1, R)` for each tree of `(number of trees, n)`."""
    return logits[torch.arange(len(logits)), heads, relations].sum(1)


def check(logits, mask, count, kind):
    """Compare the best trees with those of an enumeration."""
    found = best_ones(logits, count, mask, *kind)
    for row, real in enumerate(mask):
        columns = torch.cat([torch.zeros(1, dtype=torch.long), real.nonzero().flatten() + 1])
        own = logits[row, real][:, columns]
        trees = labelled_trees(len(own), logits.shape[3], kind)
        expected = sums(own, *trees).sort(descending=True).values
        heads, relations = found.heads[row][:, real], found.relations[row][:, real]
        assert (found.heads[row][:, ~real] == 0).all()
        assert (found.relations[row][:, ~real] == 0).all()
        heads = torch.searchsorted(columns, heads)
        scores = sums(own, heads, relations)
        exist = min(count, len(expected))
        torch.testing.assert_close(scores[:exist], expected[:exist], rtol=1e-12, atol=1e-9)
        assert (scores.diff() < 1e-9).all()
        assert is_tree(heads, single_root=kind[0]).all()
        assert not kind[1] or is_projective(heads).all()
        pairs = torch.cat([heads, relations], 1).tolist()
        assert len({tuple(pair) for pair in pairs[:exist]}) == exist
        assert all(pair == pairs[exist - 1] for pair in pairs[exist:])


@kinds
@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize(("num_relations", "count"), [(1, 2), (1, 7), (3, 20)])
def test_they_are_the_best_of_all_trees(single_root, projective, scale, num_relations, count):
    torch.manual_seed(count)
    lengths = torch.tensor([4, 4, 4, 4, 3, 3, 2, 1, 0])
    mask = torch.arange(4) < lengths.unsqueeze(1)
    logits = scale * torch.randn(9, 4, 5, num_relations, dtype=torch.float64)
    check(logits, mask, count, (single_root, projective))


@kinds
def test_all_trees_come_once_and_then_the_last_one(single_root, projective):
    logits = torch.randn(1, 4, 5, 1, dtype=torch.float64)
    check(logits, torch.ones(1, 4, dtype=torch.bool), 130, (single_root, projective))


@kinds
@pytest.mark.parametrize("step", [1.0, 0.1])  # tenths are equal up to rounding
def test_trees_of_equal_scores(single_root, projective, step):
    torch.manual_seed(0)
    logits = step * torch.randint(-1, 2, (12, 4, 5, 2)).double()
    check(logits, torch.ones(12, 4, dtype=torch.bool), 15, (single_root, projective))


@kinds
def test_missing_tokens_may_stand_anywhere(single_root, projective):
    torch.manual_seed(0)
    mask = torch.tensor([[False, True, True, False, True], [True, False, True, True, True]])
    check(torch.randn(2, 5, 6, 2).double(), mask, 9, (single_root, projective))


def partitioned(logits, count, kind):
    """The `count` highest scores of trees: those but the best one are, token by token, the trees
    with another head of it and with the best one's heads of the tokens before (Lawler 1972)."""

    def best(own):
        heads = best_heads(own.unsqueeze(0), None, *kind)[0]
        score = own[torch.arange(len(own)), heads].sum().item()
        return -score, next(numbers), heads, own

    numbers, scores = itertools.count(), []
    queue = [best(logits)]
    while len(scores) < count:
        minus_score, _, heads, own = heapq.heappop(queue)
        scores.append(-minus_score)
        for token in range(len(own)):
            other = own.clone()
            for before in range(token):
                other[before] = -1e30
                other[before, heads[before]] = own[before, heads[before]]
            other[token, heads[token]] = -1e30
            if (entry := best(other))[0] < 1e29:
                heapq.heappush(queue, entry)
    return scores


@kinds
def test_long_sentences(single_root, projective):
    torch.manual_seed(0)
    kind = single_root, projective
    logits = torch.randn(1, 9, 10, 1).double()
    found = best_ones(logits, 6, None, *kind).heads[0]
    scores = sums(logits[0], found, torch.zeros_like(found))
    expected = torch.tensor(partitioned(logits[0, :, :, 0], 6, kind)).double()
    torch.testing.assert_close(scores, expected)
    assert is_tree(found, None, single_root).all() and len(found.unique(dim=0)) == 6
    assert not projective or is_projective(found).all()


def test_no_tokens():
    found = best_ones(torch.zeros(2, 0, 1, 1), 3)
    assert found.heads.shape == found.relations.shape == (2, 3, 0)
