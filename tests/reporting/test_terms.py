"""The outline of a taxonomy in a report."""

import json
import re

import networkx as nx
import numpy as np
import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from sklearn.metrics import precision_recall_fscore_support

from structured_energy.configs import config_of
from structured_energy.reporting import (
    Diagnosis,
    LabelCounts,
    diagnose,
    hardest,
    load_data,
    load_model,
    write_report,
)
from structured_energy.reporting.terms import outline_of
from structured_energy.taxonomy import Taxonomy
from structured_energy.testing import write_hierarchy

DAG = Taxonomy.from_edges(
    [("a", "c"), ("b", "c"), ("c", "d"), ("b", "e"), ("e", "d"), ("f", "g")],
    ["d", "g", "b", "a", "c", "e", "f"],  # children before their parents
)
TREE = Taxonomy.from_paths(["a", "a/b", "a/b/c", "a/d", "e"])


def random_sets(taxonomy, rows=60, seed=0):
    """Return random closed truths, and predictions that need not be closed."""
    generator = np.random.default_rng(seed)
    truth = np.zeros((rows, len(taxonomy)), dtype=bool)
    for row in truth:
        row[taxonomy.close(np.flatnonzero(generator.random(len(taxonomy)) < 0.2))] = True
    return truth, generator.random(truth.shape) < 0.4


def diagnosis_of(taxonomy, truth, predicted):
    counts = LabelCounts(truth.sum(0), predicted.sum(0), (truth & predicted).sum(0))
    return Diagnosis(labels=counts, taxonomy=taxonomy, violations=by_hand(taxonomy, predicted))


def by_hand(taxonomy, predicted):
    return np.array(
        [
            sum(any(not row[p] for p in taxonomy.parents[i]) for i in np.flatnonzero(row))
            for row in predicted
        ]
    )


def walk(terms, parent=None):
    """Yield each appearance of a term with the term above it."""
    for term in terms:
        yield parent, term
        yield from walk(term.children, term)


@pytest.mark.parametrize("taxonomy", [TREE, DAG], ids=["tree", "dag"])
def test_the_numbers_are_those_of_scikit_learn(taxonomy):
    truth, predicted = random_sets(taxonomy)
    predicted[:, 0] = False
    outline = outline_of(diagnosis_of(taxonomy, truth, predicted))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, zero_division=np.nan
    )
    for _, term in walk(outline.roots):
        found = [term.f1, term.precision, term.recall]
        expected = [values[term.place] for values in (f1, precision, recall)]
        for value, wanted in zip(found, expected, strict=True):
            assert value is None if np.isnan(wanted) else value == pytest.approx(wanted)
        assert term.true == support[term.place]
        assert term.predicted == predicted[:, term.place].sum()
    violations = by_hand(taxonomy, predicted)
    assert outline.num_violations == violations.sum() > 0
    assert outline.num_violating == (violations > 0).sum()
    assert outline.num_instances == len(truth)


@pytest.mark.parametrize("taxonomy", [TREE, DAG], ids=["tree", "dag"])
def test_each_edge_is_shown_and_each_term_stands_in_full_once(taxonomy):
    outline = outline_of(diagnosis_of(taxonomy, *random_sets(taxonomy)))
    shown = list(walk(outline.roots))
    edges = {(parent.place, term.place) for parent, term in shown if parent is not None}
    graph = nx.DiGraph((p, c) for c, own in enumerate(taxonomy.parents) for p in own)
    assert edges == set(graph.edges)
    full = [term.place for _, term in shown if not term.is_reference]
    assert sorted(full) == list(range(len(taxonomy)))
    for _, term in shown:
        assert term.has_references == (
            graph.in_degree(term.place) > 1 if term.place in graph else 0
        )
        assert not (term.is_reference and term.children)
    for parent in [outline.roots, *(term.children for _, term in shown)]:
        frequencies = [term.true + term.predicted for term in parent]
        assert frequencies == sorted(frequencies, reverse=True)


def test_paths_lose_the_names_of_their_parents():
    outline = outline_of(diagnosis_of(TREE, *random_sets(TREE)))
    names = {term.place: term.name for _, term in walk(outline.roots)}
    assert [names[place] for place in range(5)] == ["a", "b", "c", "d", "e"]


def test_absent_and_rare_terms_are_counted_and_left_out():
    truth = np.zeros((4, 5), dtype=bool)
    truth[:3, 0] = truth[:2, 3] = truth[0, [1, 2]] = True
    outline = outline_of(diagnosis_of(TREE, truth, truth))
    assert outline.num_hidden == 1 and outline.num_shown == 4  # e is neither true nor predicted
    outline = outline_of(diagnosis_of(TREE, truth, truth), limit=2)
    (a,) = outline.roots
    assert [term.name for term in a.children] == ["d"] and a.num_hidden == 1
    # A frequent term brings its rarer ancestors, where the labels are not closed.
    predicted = np.zeros((4, 5), dtype=bool)
    predicted[:, 2] = True
    outline = outline_of(diagnosis_of(TREE, truth & False, predicted), limit=1)
    assert [term.name for _, term in walk(outline.roots)] == ["a", "b", "c"]
    assert outline.num_violating == 4 and outline.num_violations == 4


def test_a_large_dag_stays_small():
    generator = np.random.default_rng(0)
    parents = [[]] + [
        sorted({int(generator.integers(max(place // 8, 1))) for _ in range(2)})
        for place in range(1, 4000)
    ]
    taxonomy = Taxonomy([f"GO:{place:07d}" for place in range(4000)], parents)
    truth, predicted = random_sets(taxonomy, rows=20)
    outline = outline_of(diagnosis_of(taxonomy, truth, predicted & truth))
    assert 1000 <= outline.num_shown < 1500
    full = [term.place for _, term in walk(outline.roots) if not term.is_reference]
    assert len(full) == len(set(full)) == outline.num_shown


def test_labels_without_a_taxonomy_have_no_outline():
    truth, predicted = random_sets(TREE)
    diagnosis = diagnosis_of(TREE, truth, predicted)
    diagnosis.taxonomy = diagnosis.violations = None
    assert outline_of(diagnosis) is None


def trained(folder, space, closure=True):
    """Return the run of a model in a space that knows the taxonomy, or in one that does not."""
    data = {
        part: str(write_hierarchy(folder, part, rows, seed=rows))
        for part, rows in (("train", 40), ("validation", 20))
    }
    keys = {"hidden": [8], "num_epochs": 2, "patience": None}
    config = config_of("hierarchical", "cross_entropy", {**data, **keys})
    config["model"]["output_space"] = space
    config["dataset_reader"]["closure"] = closure
    train_model(Params(json.loads(json.dumps(config))), str(folder / "run"))
    weights = torch.load(folder / "run" / "best.th")
    torch.manual_seed(0)
    weights["task_network.projection.weight"].normal_(std=3.0)
    torch.save(weights, folder / "run" / "best.th")
    return folder / "run"


@pytest.mark.parametrize("space", ["hierarchical", "binary"])
def test_the_report_has_the_outline_and_the_violations(tmp_path, space):
    run = trained(tmp_path, space)
    model = load_model(run)
    data = load_data(run, model.vocab)
    diagnosis = diagnose(model, data)
    taxonomy = Taxonomy.of_vocabulary(model.vocab)
    assert diagnosis.taxonomy.terms == taxonomy.terms
    predicted = []
    for instance in data.instances:
        on = model.forward_on_instance(instance)["labels"]
        predicted.append([term in on for term in taxonomy.terms])
    np.testing.assert_array_equal(diagnosis.violations, by_hand(taxonomy, np.array(predicted)))
    count = int((diagnosis.violations > 0).sum())
    assert (count > 0) == (space == "binary")
    write_report([run], tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    assert f"{count} of 20 predictions" in " ".join(html.split())
    start = html.index('<div class="terms">')
    part = html[start : html.index("<h3>", start)]
    assert part.count("<details") == part.count("</details>") > 0 and " open" not in part
    assert part.count('<span class="counts">') == 1 + len(taxonomy)
    names = re.findall(r'<(?:summary|div class="term")>([^<]+)<span class="counts">', part)
    assert len(names) == len(taxonomy)


def test_the_true_labels_of_an_example_are_closed_as_those_of_the_loss(tmp_path):
    run = trained(tmp_path, "hierarchical", closure=False)
    model = load_model(run)
    data = load_data(run, model.vocab)
    taxonomy = Taxonomy.of_vocabulary(model.vocab)
    added = 0
    for example in hardest(model, data, diagnose(model, data), 20):
        given = data.instances[example.place]["labels"].human_readable_repr()
        true = [label.name for label in example.labels if label.true]
        closed = taxonomy.close([taxonomy.terms.index(name) for name in given])
        assert true == [taxonomy.terms[place] for place in sorted(closed)]
        added += len(true) - len(given)
    assert added > 0
