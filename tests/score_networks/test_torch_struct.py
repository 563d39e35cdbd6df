"""Sums, probabilities and best outputs of trees, chains and semi-Markov fields, against those of
torch-struct (Rush 2020), where it is installed."""

import itertools

import pytest
import torch
from test_semi_markov import MAX_LENGTH, problem  # noqa: F401

from structured_energy.dependency_trees import best_heads, best_ones, log_partition, marginals
from structured_energy.score_networks import Chain, chain_of
from structured_energy.score_networks.chain import chain_states

torch_struct = pytest.importorskip(
    "torch_struct", reason="torch-struct, of the development requirements, is not installed"
)
pytestmark = pytest.mark.filterwarnings("ignore:.*does not define `arg_constraints`")

LENGTHS = torch.tensor([6, 4, 1])
MASK = torch.arange(6) < LENGTHS.unsqueeze(1)
single_or_several = pytest.mark.parametrize("single_root", [True, False])


def trees():
    torch.manual_seed(0)
    return torch.randn(3, 6, 7, dtype=torch.float64)


def by_head(arcs):
    """Arcs `(batch, n, n + 1)` as torch-struct has them: a row for each head, and the root on the
    diagonal."""
    n = arcs.shape[1]
    of_root = torch.eye(n, dtype=torch.bool)
    return torch.where(of_root, arcs[..., :1].transpose(1, 2), arcs[..., 1:].transpose(1, 2))


def theirs(name, potentials, **settings):
    # What needs no gradient, torch-struct changes in place, which torch refuses.
    return getattr(torch_struct, name)(potentials.requires_grad_(), **settings)


@single_or_several
def test_projective_trees(single_root):
    arcs = trees()
    crf = theirs("DependencyCRF", by_head(arcs), lengths=LENGTHS, multiroot=not single_root)
    kind = single_root, True
    torch.testing.assert_close(log_partition(arcs, MASK, *kind), crf.partition.detach())
    chances = by_head(marginals(arcs, MASK, *kind))
    torch.testing.assert_close(chances, crf.marginals.detach())
    scores = scores_of(arcs, best_heads(arcs, MASK, *kind).unsqueeze(1))
    torch.testing.assert_close(scores[:, 0], crf.max.detach())
    # A sentence of one token has one tree.
    scores = scores_of(arcs, best_ones(arcs.unsqueeze(3), 5, MASK, *kind).heads)
    torch.testing.assert_close(scores[:2], crf.kmax(5).detach().T[:2])


@single_or_several
def test_trees_that_may_cross(single_root):
    """torch-struct adds 1e-5 to each weight, and has no best tree."""
    arcs = trees()
    settings = {"lengths": LENGTHS, "multiroot": not single_root}
    crf = theirs("NonProjectiveDependencyCRF", by_head(arcs), **settings)
    near = {"rtol": 0, "atol": 1e-3}
    torch.testing.assert_close(log_partition(arcs, MASK, single_root), crf.partition, **near)
    chances = by_head(marginals(arcs, MASK, single_root))
    torch.testing.assert_close(chances, crf.marginals.detach(), **near)


def scores_of(arcs, heads):
    """The scores `(batch, count)` of heads `(batch, count, n)`."""
    values = arcs.unsqueeze(1).take_along_dim(heads.unsqueeze(3), 3).squeeze(3)
    return values.masked_fill(~MASK.unsqueeze(1), 0.0).sum(2)


def test_linear_chains():
    torch.manual_seed(0)
    weights = [torch.randn(size, dtype=torch.float64) for size in ((3, 6, 4), (4, 4), (4,), (4,))]
    chain = Chain(*weights, MASK)._replace(mask=torch.arange(6) < torch.tensor([[6], [4], [2]]))
    # (batch, n − 1, tag, tag before).
    edges = chain.transitions.T + chain.potentials[:, 1:].unsqueeze(3)
    edges[:, 0] += (chain.start + chain.potentials[:, 0]).unsqueeze(1)
    lengths = chain.mask.sum(1)
    edges[torch.arange(3), lengths - 2] += chain.end.unsqueeze(1)
    crf = theirs("LinearChainCRF", edges, lengths=lengths)
    torch.testing.assert_close(chain.log_partition(), crf.partition.detach())
    torch.testing.assert_close(chain.means().transitions, crf.marginals.detach().sum(1).mT)
    tags = chain.best_ones(4)
    torch.testing.assert_close(chain.scores(tags), crf.kmax(4).detach().T)
    torch.testing.assert_close(chain.scores(chain.best().unsqueeze(1))[:, 0], crf.max.detach())


def test_semi_markov_fields(problem):  # noqa: F811
    network, x = problem.score_network, problem.x
    term, chain = network.structured_scores[0], chain_of(network, x, None)
    tags = network.potentials(x).detach()  # of I-X, O, B-Y and B-X
    n, (labels, first) = tags.shape[1], (3, 3)
    # (batch, first token, length, label, label before); the label 3 is that before the first one.
    edges = tags.new_full((len(tags), n, MAX_LENGTH + 1, 4, 4), -1e5)
    with torch.no_grad():
        for t, length, label in itertools.product(
            range(n), range(1, MAX_LENGTH + 1), range(labels)
        ):
            if t + length > n or (length > 1 and label != 1):
                continue
            score = tags[:, t, [1, 3, 2][label]] + tags[:, t + 1 : t + length, 0].sum(1)
            if label:
                score = score + term.lengths[label - 1, length - 1]
            if t + length == n:
                score = score + term.end[label]
            for before in range(labels) if t else [first]:
                step = term.transitions[before, label] if t else term.start[label]
                edges[:, t, length, label, before] = score + step
    crf = theirs("SemiMarkovCRF", edges)
    torch.testing.assert_close(chain.log_partition().detach(), crf.partition.detach())
    best = chain.best().unsqueeze(1)
    torch.testing.assert_close(chain.scores(best)[:, 0].detach(), crf.max.detach())
    found = torch.zeros_like(tags).index_add(2, chain_states(network), chain.means().tags.detach())
    spans = crf.marginals.detach().sum(4)
    of_o, of_first = spans[:, :, 1, 0], spans[:, :, 1:, 1].sum(2)
    torch.testing.assert_close(found[..., 1], of_o)
    torch.testing.assert_close(found[..., 3], of_first)
