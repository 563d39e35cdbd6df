"""Closed sets of labels against enumeration, quadratic programming and the code of a paper."""

import copy
import math

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from structured_energy.output_spaces import HierarchicalOutputSpace
from structured_energy.output_spaces.closed_sets import best_closed_set, nearest_isotonic
from structured_energy.output_spaces.hierarchy import Hierarchy
from structured_energy.taxonomy import Taxonomy

KINDS = ["tree", "dag"]


def random_taxonomy(kind, seed, size=8):
    generator = np.random.default_rng(seed)
    hidden = generator.permutation(size)  # an order of the terms that is not topological
    parents = [[] for _ in range(size)]
    for rank in range(1, size):
        most = 1 if kind == "tree" else 3
        count = int(generator.integers(0, min(rank, most) + 1))
        above = generator.choice(rank, size=count, replace=False)
        parents[hidden[rank]] = [int(hidden[place]) for place in above]
    return Taxonomy([f"t{i}" for i in range(size)], parents)


def spaces(coherence="conditional"):
    for kind in KINDS:
        for seed in range(6):
            taxonomy = random_taxonomy(kind, seed)
            yield taxonomy, HierarchicalOutputSpace.of(taxonomy, coherence)


@pytest.fixture(autouse=True)
def _double():
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_the_distribution_is_that_of_the_enumeration():
    for taxonomy, space in spaces():
        logits = 2 * torch.randn(3, len(taxonomy))
        y = space.outputs()
        log_prob = space.log_prob(logits.unsqueeze(1), y.expand(3, -1, -1))
        torch.testing.assert_close(log_prob.logsumexp(1), torch.zeros(3))
        torch.testing.assert_close(space.normalize(logits), log_prob.exp() @ y)
        # By the chain rule: a term is decided only where its parents are on.
        for row in range(0, len(y), 7):
            expected = 0.0
            for place, own in enumerate(taxonomy.parents):
                if all(y[row, parent] for parent in own):
                    p = 1 / (1 + math.exp(-logits[0, place]))
                    expected += math.log(p if y[row, place] else 1 - p)
            assert log_prob[0, row] == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_functions_along_edges_are_those_of_each_term(kind):
    for seed in range(3):
        taxonomy = random_taxonomy(kind, seed, size=40)
        hierarchy = Hierarchy(taxonomy)
        on = torch.rand(2, 40, 5).movedim(1, 2) < 0.8  # not contiguous
        values = torch.rand(2, 5, 40, requires_grad=True)
        lowest, closed = [], []
        for own, above in zip(taxonomy.parents, taxonomy.ancestors, strict=True):
            roots = torch.full_like(values[..., :1], 2.0)
            lowest.append(values[..., own].amin(-1) if own else roots[..., 0])
            closed.append(on[..., above.tolist()].all(-1))
        expected = torch.stack(lowest, -1)
        for each in (values, values.detach(), values.detach().float()):
            torch.testing.assert_close(
                hierarchy.lowest_parent(each, of_roots=2.0).detach(),
                expected.detach().to(each.dtype),
                rtol=0,
                atol=0,
            )
        own_gradient, gradient = (
            torch.autograd.grad(each.square().sum(), values)[0]
            for each in (hierarchy.lowest_parent(values, of_roots=2.0), expected)
        )
        torch.testing.assert_close(own_gradient, gradient)
        assert hierarchy.all_above(on).equal(torch.stack(closed, -1))
        missing = [
            on[..., place] & ~on[..., list(own)].all(-1)
            for place, own in enumerate(taxonomy.parents)
        ]
        assert hierarchy.violations(on).equal(torch.stack(missing, -1).sum(-1))
        assert hierarchy.num_below.tolist() == [
            sum(place in above for above in taxonomy.ancestors) for place in range(40)
        ]
        assert copy.deepcopy(hierarchy) is hierarchy and copy.deepcopy(taxonomy) is taxonomy


def test_the_probability_of_discrete_outputs_is_that_of_relaxed_ones():
    for taxonomy, space in spaces():
        logits = torch.randn(3, 1, len(taxonomy), requires_grad=True)
        y = space.outputs().expand(3, -1, -1)
        with_gradient = space.log_prob(logits, y.clone().requires_grad_())
        torch.testing.assert_close(space.log_prob(logits, y), with_gradient, rtol=0, atol=0)


def test_draws_have_the_probabilities_of_whole_sets():
    for taxonomy, space in list(spaces())[::5]:
        logits = torch.randn(1, len(taxonomy))
        y = space.outputs()
        draws = space.sample(logits, 40000)[0]
        counts = (draws @ (2.0 ** torch.arange(len(taxonomy)))).long()
        codes = (y @ (2.0 ** torch.arange(len(taxonomy)))).long()
        shares = torch.bincount(counts, minlength=2 ** len(taxonomy))[codes] / 40000
        assert shares.sum() == pytest.approx(1.0)
        expected = space.log_prob(logits.unsqueeze(1), y.unsqueeze(0))[0].exp()
        assert (shares - expected).abs().max() < 0.012


def test_the_best_closed_set_is_that_of_the_enumeration():
    for taxonomy, space in spaces():
        weights = torch.randn(60, len(taxonomy))
        best = best_closed_set(weights, Hierarchy(taxonomy))
        assert space.contains(best.double())
        values = (weights * best).sum(1)
        torch.testing.assert_close(values, (weights @ space.outputs().T).amax(1))


def test_decoding_finds_the_nearest_closed_set():
    for taxonomy, space in spaces():
        y = 2 * torch.rand(60, len(taxonomy)) - 0.5
        decoded = space.decode(y).double()
        assert space.contains(decoded)
        distances = torch.cdist(y, space.outputs())
        torch.testing.assert_close((decoded - y).norm(dim=1), distances.amin(1))
        # Of a relaxed output it is the set of labels above one half.
        relaxed = space.random(y)
        assert torch.equal(space.decode(relaxed), relaxed > 0.5)


def test_the_projection_is_that_of_quadratic_programming():
    for taxonomy, space in spaces():
        edges = [(p, c) for c, own in enumerate(taxonomy.parents) for p in own]
        constraints = [{"type": "ineq", "fun": lambda y, p=p, c=c: y[p] - y[c]} for p, c in edges]
        for point in 1.5 * torch.randn(4, len(taxonomy)):
            result = minimize(
                lambda y, x=point.numpy(): ((y - x) ** 2).sum(),
                np.full(len(taxonomy), 0.5),
                jac=lambda y, x=point.numpy(): 2 * (y - x),
                bounds=[(0, 1)] * len(taxonomy),
                constraints=constraints,
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            np.testing.assert_allclose(space.project(point).numpy(), result.x, atol=1e-6)


def test_in_a_path_it_is_the_isotonic_regression_of_scikit_learn():
    size = 60
    taxonomy = Taxonomy([str(i) for i in range(size)], [[], *([i] for i in range(size - 1))])
    values = torch.randn(20, size)
    found = nearest_isotonic(values, Hierarchy(taxonomy))
    for row, nearest in zip(values.numpy(), found.numpy(), strict=True):
        expected = IsotonicRegression(increasing=False).fit_transform(np.arange(size), row)
        np.testing.assert_allclose(nearest, expected, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_large_taxonomies_meet_the_conditions_of_optimality(kind):
    taxonomy = random_taxonomy(kind, 3, size=300)
    hierarchy = Hierarchy(taxonomy)
    values = torch.randn(3, 300) + torch.randn(300)
    nearest = nearest_isotonic(values, hierarchy)
    assert (nearest <= hierarchy.lowest_parent(nearest, of_roots=math.inf) + 1e-9).all()
    # ⟨x − y, y⟩ = 0, and ⟨x − y, z⟩ ≤ 0 for all z of the cone, here for its extreme rays.
    rest = values - nearest
    torch.testing.assert_close((rest * nearest).sum(1), torch.zeros(3), atol=1e-7, rtol=0)
    best = best_closed_set(rest, hierarchy)
    assert ((rest * best).sum(1) < 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_the_projection_at_any_magnitude(kind, dtype):
    taxonomy = random_taxonomy(kind, 1)
    space = HierarchicalOutputSpace.of(taxonomy)
    for exponent in (-6, -1, 0, 2, 4, 8, 30):
        if 10.0**exponent > torch.finfo(dtype).max / 8:
            continue
        points = (10.0**exponent * torch.randn(10, len(taxonomy))).to(dtype)
        projected = space.project(points)
        assert projected.dtype == dtype and space.contains(projected)
        expected = space.project(points.double())
        tolerance = 4 * torch.finfo(dtype).eps
        torch.testing.assert_close(projected.double(), expected, atol=tolerance, rtol=tolerance)


def test_a_value_that_is_no_number_spoils_its_output_only():
    space = HierarchicalOutputSpace.of(random_taxonomy("tree", 0))
    points = torch.rand(2, 8)
    points[0, 3] = math.nan
    projected = space.project(points)
    assert projected[0].isnan().all() and space.contains(projected[1])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind):
    taxonomy = random_taxonomy(kind, 2)
    for coherence in ("conditional", "max"):
        space = HierarchicalOutputSpace.of(taxonomy, coherence)
        logits = torch.randn(2, 3, len(taxonomy)).requires_grad_()
        truth = space.complete(torch.rand(2, 3, len(taxonomy)) < 0.3).double()
        assert torch.autograd.gradcheck(space.normalize, logits)
        assert torch.autograd.gradcheck(space.project, logits)
        for function in (space.log_prob, space.position_log_likelihood):
            assert torch.autograd.gradcheck(lambda x, f=function, t=truth: f(x, t), logits)


def test_mirror_descent_finds_the_best_closed_set():
    """The natural gradient of ⟨w, y⟩ is that of the enumerated distribution, and leads to the
    closed set with the highest weight."""
    for taxonomy, space in spaces():
        weights = torch.randn(5, len(taxonomy))
        logits = torch.zeros(5, len(taxonomy))
        y = space.outputs()
        step = space.step_in_logits(weights, logits)
        # E[⟨w, y over i and its descendants⟩ | y_i = 1].
        p = space.log_prob(logits.unsqueeze(1), y.expand(5, -1, -1)).exp()
        for place in range(len(taxonomy)):
            below = torch.tensor([float(place in above) for above in taxonomy.ancestors])
            on = p * y[:, place]
            expected = (on * ((weights * below) @ y.T)).sum(1) / on.sum(1)
            torch.testing.assert_close(step[:, place], expected)
        for _ in range(400):
            logits = logits + 0.5 * space.step_in_logits(weights, logits)
        found = (space.decode(space.normalize(logits)).double() * weights).sum(1)
        best = (weights @ y.T).amax(1)
        assert (found >= best - 1e-6).double().mean() >= 0.8  # of a DAG it may be a local optimum


def test_the_maximum_and_its_loss_are_those_of_the_paper():
    """Giunchiglia & Lukasiewicz 2020: MCM and MCLoss, with a loop over classes."""
    for taxonomy, space in spaces("max"):
        size = len(taxonomy)
        logits = torch.randn(4, size)
        h = torch.sigmoid(logits)
        truth = space.complete(torch.rand(4, size) < 0.3)
        below = [[d for d in range(size) if i in taxonomy.ancestors[d]] for i in range(size)]
        mcm = torch.stack([h[:, places].amax(1) for places in below], 1)
        torch.testing.assert_close(space.normalize(logits), mcm)
        on = torch.stack([(h * truth)[:, places].amax(1) for places in below], 1)
        expected = torch.where(truth, on.log(), (1 - mcm).log())
        found = space.position_log_likelihood(logits.unsqueeze(1), truth.unsqueeze(1).double())
        torch.testing.assert_close(found[:, 0], expected)


def test_moves_reach_every_closed_set():
    for taxonomy, space in spaces():
        y, reached = torch.zeros(1, 1, len(taxonomy)), {(0.0,) * len(taxonomy)}
        queue = [y]
        while queue:
            y = queue.pop()
            changes = space.move_changes(y, torch.ones_like(y))[0, 0]
            for index in changes.isfinite().nonzero().flatten():
                moved, _ = space.move(y, index.view(1, 1))
                assert space.contains(moved)
                key = tuple(moved.flatten().tolist())
                if key not in reached:
                    reached.add(key)
                    queue.append(moved)
        assert len(reached) == len(space.outputs())


def test_random_outputs_of_a_tree_are_uniform():
    taxonomy = Taxonomy(["a", "b", "c"], [[], [0], [0]])
    space = HierarchicalOutputSpace.of(taxonomy)
    y = space.random(torch.zeros(200000, 3))
    uniform = torch.rand(1000000, 3)
    uniform = uniform[(uniform[:, 1:] <= uniform[:, :1]).all(1)]
    for power in (1, 2):
        expected = (uniform**power).mean(0)
        torch.testing.assert_close((y**power).mean(0), expected, atol=0.005, rtol=0)
    assert (y[:, 1] * y[:, 2]).mean() == pytest.approx(
        float((uniform[:, 1] * uniform[:, 2]).mean()), abs=0.005
    )


def test_details_are_the_paths_of_the_most_specific_labels():
    taxonomy = Taxonomy.from_edges([("root", "a"), ("root", "b"), ("a", "c"), ("b", "c")])
    space = HierarchicalOutputSpace.of(taxonomy)
    labels = torch.tensor([[True, True, True], [True, True, False], [False, False, False]])
    assert space.details(labels) == {"paths": [["a/c"], ["a", "b"], []]}


def test_what_does_not_fit_is_refused():
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    vocab.add_token_to_namespace("a", "labels")
    with pytest.raises(ConfigurationError, match="data with a taxonomy, .* got neither"):
        HierarchicalOutputSpace(vocab)
    with pytest.raises(ConfigurationError, match="coherence 'conditional' or 'max' .* got 'min'"):
        HierarchicalOutputSpace(vocab, coherence="min")
    space = HierarchicalOutputSpace.of(random_taxonomy("tree", 0))
    with pytest.raises(ConfigurationError, match="one vector for an instance"):
        space.logits_size(1, 8)
    with pytest.raises(ValueError, match=r"Expected 8 labels .* got the shape \(2, 3\)"):
        space.normalize(torch.zeros(2, 3))


def test_a_taxonomy_of_a_file(tmp_path):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for label in ("c", "a", "b"):
        vocab.add_token_to_namespace(label, "labels")
    path = tmp_path / "edges.tsv"
    path.write_text("root\ta\na\tb\na\tc\n")
    space = HierarchicalOutputSpace(vocab, str(path))
    assert space.taxonomy.terms == ("c", "a", "b") and space.taxonomy.parents == ((1,), (), (1,))
    path.write_text("root\ta\na\tb\na\td\n")
    with pytest.raises(ConfigurationError, match="are the 3 labels of the data, got 'c' in only"):
        HierarchicalOutputSpace(vocab, str(path))
