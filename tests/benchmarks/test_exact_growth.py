"""The benchmark of exact algorithms: each of them runs, and the table has all of them."""

import sys

import pytest
import torch

from benchmarks import exact_growth

ALGORITHMS = exact_growth.ALGORITHMS
pytestmark = pytest.mark.filterwarnings("ignore:.*does not define `arg_constraints`")


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_every_algorithm_is_timed_at_the_size(name):
    data = exact_growth.inputs(2, 5)
    assert data.arcs.shape == (2, 5, 6) and data.tags.mask.shape == (2, 5)
    compared = exact_growth.measure(ALGORITHMS[name], data, repeats=2)
    assert len(compared.ours) == 2
    both = ALGORITHMS[name].theirs is not None and exact_growth.torch_struct is not None
    assert len(compared.other) == 2 * both


def test_semi_markov_fields_have_the_labels_and_lengths_that_are_told():
    data = exact_growth.inputs(1, 3)
    # One state of O, and one for each kind and length.
    assert data.segments.potentials.shape[2] == 1 + exact_growth.KINDS * exact_growth.LONGEST
    assert torch.isfinite(data.segments.log_partition()).all()


def test_a_table_and_a_plot(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(exact_growth, "SIZES", (3, 6, 12))
    options = ["--sentences", "2", "--repeats", "1", "--largest", "6", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["exact_growth.py", *options])
    monkeypatch.setenv("COLUMNS", "200")
    exact_growth.main()
    printed = capsys.readouterr().out
    assert all(name in printed for name in ALGORITHMS) and "12" not in printed.splitlines()[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "exact_growth.png",
        "exact_growth.svg",
    ]
