"""All trees over a few tokens, by brute force."""

import functools
import itertools

import networkx
import torch


@functools.cache
def all_trees(n, single_root=True, projective=False):
    """The heads `(number of trees, n)` of all trees over n tokens, checked by networkx."""
    kept = []
    for heads in itertools.product(range(n + 1), repeat=n):
        graph = networkx.DiGraph([(head, token) for token, head in enumerate(heads, 1)])
        if not networkx.is_arborescence(graph) or (single_root and heads.count(0) != 1):
            continue
        if projective and not plain_projective(heads):
            continue
        kept.append(heads)
    return torch.tensor(kept).view(len(kept), n)


def plain_projective(heads):
    """Whether each token between a token and its head is below that head."""

    def is_below(token, head):
        while token not in (0, head):
            token = heads[token - 1]
        return token == head

    return all(
        is_below(between, head)
        for token, head in enumerate(heads, 1)
        for between in range(min(token, head) + 1, max(token, head))
    )


def arcs_of(trees):
    """Trees `(..., n)` as arcs `(..., n, n + 1)` of 0 and 1."""
    return torch.nn.functional.one_hot(trees, trees.shape[-1] + 1).double()


def scores_of(trees, logits):
    """The sum of the logits `(n, n + 1)` of each tree."""
    return (arcs_of(trees) * logits).sum((1, 2))
