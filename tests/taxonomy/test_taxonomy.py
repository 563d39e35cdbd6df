"""Taxonomies against networkx, and the sentences about those that are none."""

import itertools
import json

import networkx
import numpy as np
import pytest

from structured_energy.taxonomy import Taxonomy


def random_taxonomy(seed, size=7, most_parents=3):
    generator = np.random.default_rng(seed)
    names = [f"t{i}" for i in range(size)]
    hidden = generator.permutation(size)  # an order of the terms that is not topological
    parents = [[] for _ in range(size)]
    for rank in range(1, size):
        count = int(generator.integers(0, min(rank, most_parents) + 1))
        above = generator.choice(rank, size=count, replace=False)
        parents[hidden[rank]] = [int(hidden[place]) for place in above]
    return Taxonomy(names, parents)


def graph_of(taxonomy):
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(taxonomy)))
    graph.add_edges_from((p, c) for c, own in enumerate(taxonomy.parents) for p in own)
    return graph


@pytest.mark.parametrize("seed", range(20))
def test_ancestors_levels_and_order_are_those_of_networkx(seed):
    taxonomy = random_taxonomy(seed)
    graph = graph_of(taxonomy)
    for place, found in enumerate(taxonomy.ancestors):
        assert set(found.tolist()) == networkx.ancestors(graph, place) | {place}
    generations = list(networkx.topological_generations(graph))
    for level, places in enumerate(generations):
        assert {taxonomy.levels[place] for place in places} == {level}
    ranks = {place: rank for rank, place in enumerate(taxonomy.order)}
    assert all(ranks[a] < ranks[b] for a, b in graph.edges)
    assert taxonomy.is_tree == all(degree <= 1 for _, degree in graph.in_degree)


@pytest.mark.parametrize("seed", range(5))
def test_closed_sets_are_all_of_them(seed):
    taxonomy = random_taxonomy(seed)
    found = {tuple(row) for row in taxonomy.closed_sets().tolist()}
    assert len(found) == len(taxonomy.closed_sets())
    expected = {
        row
        for row in itertools.product([False, True], repeat=len(taxonomy))
        if all(row[p] or not row[c] for c, own in enumerate(taxonomy.parents) for p in own)
    }
    assert found == expected
    for row in itertools.islice(itertools.product([False, True], repeat=len(taxonomy)), 40):
        closed = np.zeros(len(taxonomy), dtype=bool)
        closed[taxonomy.close(np.flatnonzero(row))] = True
        smallest = min((s for s in expected if all(np.array(s) >= row)), key=sum)
        assert tuple(closed.tolist()) == smallest


def test_too_many_closed_sets_are_refused():
    with pytest.raises(ValueError, match="at most 100 closed sets .* of 20 terms"):
        Taxonomy([str(i) for i in range(20)], [[]] * 20).closed_sets(limit=100)


def test_all_sources_give_the_same_tree(tmp_path):
    nested = {"a": {"b": None, "c": ["d"]}, "e": {}}
    edges = [("a", "b"), ("a", "c"), ("c", "d")]
    paths = ["a", "a/b", "a/c", "a/c/d", "e"]
    (tmp_path / "nested.json").write_text(json.dumps(nested))
    (tmp_path / "paths.txt").write_text("\n".join(paths) + "\n")
    (tmp_path / "edges.tsv").write_text(
        "root\ta\nroot\te\n" + "".join(f"{a}\t{b}\n" for a, b in edges)
    )
    of_json = Taxonomy.from_json(nested)
    assert Taxonomy.from_file(str(tmp_path / "nested.json")).parents == of_json.parents
    of_edges = Taxonomy.from_edges(edges, of_json.terms)
    assert of_edges.parents == of_json.parents == ((), (0,), (0,), (2,), ())
    of_paths = Taxonomy.from_paths(paths)
    assert of_paths.parents == of_json.parents
    assert Taxonomy.from_file(str(tmp_path / "paths.txt")).terms == of_paths.terms
    assert [of_paths.path(i) for i in range(5)] == [of_json.path(i) for i in range(5)] == paths
    of_file = Taxonomy.from_file(str(tmp_path / "edges.tsv"))
    assert set(of_file.entries()) == set(of_json.entries())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Taxonomy.from_edges([("a", "b"), ("b", "c"), ("c", "b")]),
            r"^edges: expected a taxonomy without cycles, got 'b → c → b'\.$",
        ),
        (lambda: Taxonomy.from_edges([("a", "a")]), "without cycles, got 'a → a'"),
        (
            lambda: Taxonomy.from_edges([("a", "b"), ("a", "b")]),
            "expected different edges, got 'a' → 'b' twice",
        ),
        (
            lambda: Taxonomy.from_edges([("x", "b")], ["a", "b"]),
            "between terms of the taxonomy, got 'x' → 'b', where 'x' is unknown",
        ),
        (lambda: Taxonomy.from_paths(["a", "b/c"]), "expected the parent 'b' of 'b/c'"),
        (lambda: Taxonomy.from_paths(["a", "a"]), "terms of different names, got 'a' twice"),
        (lambda: Taxonomy.from_paths(["a", "a/"]), "got 'a/', which has an empty name"),
        (lambda: Taxonomy.from_json({"a": {"b": 3}}), "names, lists and dictionaries .* got 3"),
        (lambda: Taxonomy.from_json({"a": ["b"], "b": []}), "in a tree, got 'b' twice"),
        (lambda: Taxonomy(["a", "b"], [[], [0, 0]]), "different parents of 'b', got 'a' twice"),
        (lambda: Taxonomy.from_json({"a\tb": ["c"]}), r"without tabs .* got 'a\\tb'"),
        (lambda: Taxonomy.from_json({"": ["c"]}), "names of terms that are not empty"),
        (lambda: Taxonomy.from_file("/no/such.txt"), "expected a taxonomy in UTF-8, got"),
    ],
)
def test_what_is_no_taxonomy_is_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "taxonomy.txt"
    path.write_text("a\na/b\n", encoding="utf-8-sig")
    assert Taxonomy.from_file(str(path)).terms == ("a", "a/b")
