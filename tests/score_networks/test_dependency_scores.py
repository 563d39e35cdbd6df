"""Second-order scores and the biaffine projection, against plain loops."""

import itertools

import pytest
import torch
from plain_attention import attention_over

from structured_energy.projection import BiaffineProjection
from structured_energy.score_networks import StructuredScore
from structured_energy.testing import make_test_problem


@pytest.mark.parametrize("name", ["sibling", "grandparent"])
def test_terms_over_pairs_of_arcs(name):
    problem = make_test_problem(space="dependencies")
    term = problem.build(StructuredScore, f"{{type: '{name}', size: 4}}")
    h = problem.task_network.hidden(problem.x, problem.mask).detach()
    y = problem.sample(2).y
    context = term.encode(problem.x, h, problem.mask)
    found = term(y, problem.mask, context)
    arcs = y.unflatten(3, (5, 3)).sum(4)
    roles = context.unflatten(2, (-1, 4))
    for row, sample in itertools.product(range(3), range(2)):
        tokens = problem.mask[row].nonzero().flatten().tolist()
        heads = [0, *(token + 1 for token in tokens)]
        share, total = arcs[row, sample], 0.0
        for i, j in itertools.product(tokens, tokens):
            for head in heads:
                if name == "sibling" and i < j:
                    weight = (
                        roles[row, head, 0] * roles[row, i + 1, 1] * roles[row, j + 1, 1]
                    ).sum()
                    total += share[i, head] * share[j, head] * weight
                if name == "grandparent":  # the token i hangs on j, and j on the head
                    weight = (
                        roles[row, head, 0] * roles[row, j + 1, 1] * roles[row, i + 1, 2]
                    ).sum()
                    total += share[j, head] * share[i, j + 1] * weight
        torch.testing.assert_close(found[row, sample], total)


@pytest.mark.parametrize("window", ["null", "1"])
@pytest.mark.parametrize("place", ["end", "holes"])
def test_arcs_attend_to_each_other(window, place):
    problem = make_test_problem(space="dependencies")
    if place == "holes":
        problem.mask[-1] = torch.tensor([True, False, True, False])
    config = f"{{type: 'self-attention', hidden_size: 12, num_heads: 3, window: {window}}}"
    term = problem.build(StructuredScore, config)
    for parameter in term.parameters():
        torch.nn.init.normal_(parameter)
    h = problem.task_network.hidden(problem.x, problem.mask).detach()
    y = problem.sample(2).y.requires_grad_()
    found = term(y, problem.mask, term.encode(problem.x, h, problem.mask))
    (gradient,) = torch.autograd.grad(found.sum(), y, retain_graph=True)
    gradient = gradient.unflatten(3, (5, 3))[-1]
    absent = ~problem.mask[-1]
    assert (gradient[:, absent] == 0).all() and (gradient[:, :, 1:][:, :, absent] == 0).all()
    of_token, of_head = term.embedding.ends.weight.chunk(2)
    token_bias, head_bias = term.embedding.ends.bias.chunk(2)
    for row, sample in itertools.product(range(3), range(2)):
        tokens = problem.mask[row].nonzero().flatten().tolist()
        embedded = []
        for i in tokens:
            vector = of_token @ h[row, i] + token_bias
            for head, relation in itertools.product([0, *(j + 1 for j in tokens)], range(3)):
                share = y[row, sample, i, 3 * head + relation]
                above = term.embedding.root if head == 0 else h[row, head - 1]
                vector = vector + share * (of_head @ above + head_bias)
                vector = vector + share * term.embedding.relations.weight[:, relation]
            embedded.append(vector)
        expected = attention_over(term, torch.stack(embedded))
        torch.testing.assert_close(found[row, sample], expected)


def test_biaffine_logits():
    problem = make_test_problem(space="dependencies")
    projection = BiaffineProjection(
        problem.task_network.encoder,
        problem.output_space,
        3,
        arc_size=3,
        relation_size=2,
        dropout=0.0,
    ).double()
    h = torch.randn(2, 3, problem.task_network.encoder.output_size).double()
    logits = projection(h).unflatten(2, (4, 3))

    def layer(linear, vector):
        return torch.nn.functional.leaky_relu(linear(vector), 0.1)

    one = torch.ones(1).double()
    for row, i, j in itertools.product(range(2), range(3), range(4)):
        above = projection.root if j == 0 else h[row, j - 1]
        token = torch.cat([layer(projection.arc_token, h[row, i]), one])
        arc = token @ projection.arc_weight @ layer(projection.arc_head, above)
        token = torch.cat([layer(projection.relation_token, h[row, i]), one])
        head = torch.cat([layer(projection.relation_head, above), one])
        each = torch.stack([token @ weight @ head for weight in projection.relation_weight])
        torch.testing.assert_close(logits[row, i, j], arc + each.log_softmax(0))
