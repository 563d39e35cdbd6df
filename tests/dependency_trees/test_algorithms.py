"""Sums over trees, best trees and draws, against all trees of a few tokens."""

import itertools

import networkx
import numpy as np
import pytest
import torch
from all_trees import all_trees, arcs_of, plain_projective, scores_of

from structured_energy.dependency_trees import (
    are_trees,
    best_heads,
    draw_projective,
    draw_trees,
    is_projective,
    is_tree,
    log_partition,
    marginals,
)
from structured_energy.dependency_trees import draws as draws_module

KINDS = list(itertools.product((True, False), (True, False)))
kinds = pytest.mark.parametrize(("single_root", "projective"), KINDS)


def logits_of(*lengths, scale=1.0, size=None):
    torch.manual_seed(len(lengths))
    size = size or max(lengths)
    logits = scale * torch.randn(len(lengths), size, size + 1, dtype=torch.float64)
    mask = torch.arange(size) < torch.tensor(lengths).unsqueeze(1)
    return logits, mask


def trees_of(length, single_root, projective):
    if not length:
        return torch.zeros(1, 0, dtype=torch.long)
    return all_trees(length, single_root, projective)


@kinds
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_sums_and_probabilities_are_those_of_all_trees(single_root, projective, scale):
    lengths = (5, 4, 3, 2, 1, 0)
    logits, mask = logits_of(*lengths, scale=scale)
    total = log_partition(logits, mask, single_root, projective)
    chances = marginals(logits, mask, single_root, projective)
    for row, length in enumerate(lengths):
        own = logits[row, :length, : length + 1]
        trees = trees_of(length, single_root, projective)
        expected = torch.logsumexp(scores_of(trees, own), 0)
        torch.testing.assert_close(total[row], expected, rtol=1e-12, atol=1e-9)
        weights = scores_of(trees, own).softmax(0)
        means = (weights[:, None, None] * arcs_of(trees)).sum(0)
        torch.testing.assert_close(chances[row, :length, : length + 1], means, rtol=1e-6, atol=1e-9)
        assert (chances[row, length:] == 0).all() and (chances[row, :, length + 1 :] == 0).all()


def test_numbers_of_trees():
    """Cayley's formula: (n + 1)^(n − 1) trees, and n^(n − 1) with a single root."""
    for n in range(1, 6):
        zeros = torch.zeros(1, n, n + 1)
        assert log_partition(zeros, single_root=False).exp().round() == (n + 1) ** (n - 1)
        assert log_partition(zeros).exp().round() == n ** (n - 1)
        assert len(all_trees(n)) == n ** (n - 1)


def test_a_cycle_of_high_logits_loses_no_digit():
    # Each of two tokens wants the other; determinants of exponentials are 0 here.
    logits = torch.tensor([[[-3.0, 0.0, 1e4], [-7.0, 1e4, 0.0]]], dtype=torch.float64)
    expected = torch.logsumexp(torch.tensor([1e4 - 3.0, 1e4 - 7.0], dtype=torch.float64), 0)
    torch.testing.assert_close(log_partition(logits)[0], expected, rtol=0, atol=1e-9)
    chance = torch.sigmoid(torch.tensor(4.0, dtype=torch.float64))
    torch.testing.assert_close(marginals(logits)[0, 0, 0], chance, rtol=1e-6, atol=0)


@kinds
def test_gradients(single_root, projective):
    logits, mask = logits_of(4, 2)
    for function in (log_partition, marginals):
        assert torch.autograd.gradcheck(
            lambda values, f=function: f(values, mask, single_root, projective),
            [logits.requires_grad_()],
        )


@kinds
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_best_tree_is_that_of_all_trees(single_root, projective, scale):
    lengths = (5, 4, 3, 2, 1, 0) * 5
    logits, mask = logits_of(*lengths, scale=scale)
    heads = best_heads(logits, mask, single_root, projective)
    assert is_tree(heads, mask, single_root).all()
    assert (heads[~mask] == 0).all()
    for row, length in enumerate(lengths):
        own = logits[row, :length, : length + 1]
        trees = trees_of(length, single_root, projective)
        best = trees[scores_of(trees, own).argmax()]
        assert heads[row, :length].tolist() == best.tolist()


def test_the_best_tree_of_long_sentences_is_that_of_networkx():
    logits, _ = logits_of(12, 12, 12, 12)
    heads = best_heads(logits, single_root=False)
    for row, own in enumerate(logits):
        graph = networkx.DiGraph()
        for token, head in itertools.product(range(12), range(13)):
            if head != token + 1:
                graph.add_edge(head, token + 1, weight=own[token, head].item())
        best = networkx.maximum_spanning_arborescence(graph)
        assert sorted(best.edges) == sorted((h, t) for t, h in enumerate(heads[row].tolist(), 1))


def test_projective_trees_of_long_sentences():
    logits, mask = logits_of(12, 9, 12, 7)
    heads = best_heads(logits, mask, projective=True)
    assert is_projective(heads, mask).all() and is_tree(heads, mask).all()
    # Of equal weights there are C(3n − 2, n − 1) / n projective trees with one root.
    for n, count in ((3, 7), (4, 30), (5, 143), (6, 728)):
        total = log_partition(torch.zeros(1, n, n + 1), projective=True)
        assert total.exp().round() == count


def frequencies(heads, trees):
    """How often each tree is among heads `(num_samples, n)`; each of them must be a tree."""
    same = (heads.unsqueeze(1) == trees).all(2)
    assert same.any(1).all()
    return same.double().mean(0)


@kinds
@pytest.mark.parametrize("way", ["inverses", "marginals"])
def test_draws_have_the_probabilities_of_trees(single_root, projective, way, monkeypatch):
    if way == "marginals":
        monkeypatch.setattr(draws_module, "_TOLERANCE", -1.0)
    lengths = (4, 3, 1, 0)
    logits, mask = logits_of(*lengths)
    uniform = torch.rand(4, 6000, 4)
    drawn = draw_trees(logits, uniform, mask, single_root, projective).values
    other = draw_projective(
        logits.repeat_interleave(6000, 0), mask.repeat_interleave(6000, 0), single_root
    )
    for heads in [drawn, other.view_as(drawn)] if projective else [drawn]:
        assert (heads[~mask.unsqueeze(1).expand_as(heads)] == 0).all()
        for row, length in enumerate(lengths):
            own = logits[row, :length, : length + 1]
            trees = trees_of(length, single_root, projective)
            expected = scores_of(trees, own).softmax(0)
            found = frequencies(heads[row, :, :length], trees)
            np.testing.assert_allclose(found, expected, atol=0.025)


def test_draws_at_the_same_numbers_are_the_same_whatever_computes_them(monkeypatch):
    logits, mask = logits_of(9, 6, scale=2.0)
    uniform = torch.rand(2, 50, 9)
    first = draw_trees(logits, uniform, mask).values
    monkeypatch.setattr(draws_module, "_TOLERANCE", -1.0)
    assert torch.equal(draw_trees(logits, uniform, mask).values, first)


@kinds
def test_draws_of_extreme_logits_are_the_best_trees(single_root, projective):
    logits, mask = logits_of(8, 5, 3, scale=1e4)
    heads = draw_trees(logits, torch.rand(3, 4, 8), mask, single_root, projective).values
    best = best_heads(logits, mask, single_root, projective)
    assert torch.equal(heads, best.unsqueeze(1).expand_as(heads))


@kinds
def test_masked_tokens_may_stand_anywhere(single_root, projective):
    logits, _ = logits_of(6)
    mask = torch.tensor([[False, True, True, False, True, True]])
    kept = mask[0].nonzero().flatten()
    columns = torch.cat([torch.zeros(1, dtype=torch.long), kept + 1])
    packed = logits[:, kept][..., columns]
    args = (single_root, projective)
    torch.testing.assert_close(
        log_partition(logits, mask, *args), log_partition(packed, None, *args)
    )
    chances = marginals(logits, mask, *args)
    torch.testing.assert_close(chances[:, kept][..., columns], marginals(packed, None, *args))
    assert (chances[~mask] == 0).all()
    heads = best_heads(logits, mask, *args)[0]
    assert torch.equal(heads[kept], columns[best_heads(packed, None, *args)[0]])
    uniform = torch.rand(1, 30, 6)
    drawn = draw_trees(logits, uniform, mask, *args).values[0]
    of_packed = draw_trees(packed, uniform[..., kept], None, *args).values[0]
    assert torch.equal(drawn[:, kept], columns[of_packed])
    assert (drawn[:, ~mask[0]] == 0).all()


def test_trees_and_projective_trees_are_recognised():
    for n in range(1, 6):
        heads = torch.tensor(list(itertools.product(range(n + 1), repeat=n)))
        for single_root in (True, False):
            trees = {tuple(tree) for tree in all_trees(n, single_root).tolist()}
            found = is_tree(heads, single_root=single_root)
            assert {tuple(tree) for tree in heads[found].tolist()} == trees
        for kind in KINDS:
            trees = {tuple(tree) for tree in all_trees(n, *kind).tolist()}
            found = are_trees(heads, None, *kind)
            assert {tuple(tree) for tree in heads[found].tolist()} == trees
        trees = all_trees(n, single_root=False)
        assert is_projective(trees).tolist() == [plain_projective(t) for t in trees.tolist()]


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"logits of arcs \(batch, num_tokens, num_tokens \+ 1\)"):
        log_partition(torch.zeros(1, 3, 3))
    with pytest.raises(ValueError, match="a mask"):
        log_partition(torch.zeros(1, 3, 4), torch.ones(1, 4, dtype=torch.bool))
