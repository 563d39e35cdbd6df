"""The benchmark of evaluation: all libraries compute the same, and the tables are printed."""

import sys

import pytest
import torch

from benchmarks import evaluation_speed


@pytest.mark.parametrize("rule", evaluation_speed.RULES)
@pytest.mark.parametrize("seed", range(3))
def test_the_libraries_do_the_same_work(rule, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.rand(40, 6, generator=generator) < 0.3
    labels[:3], labels[:, 5] = False, False
    noise = torch.randn(40, 6, generator=generator)
    probabilities = torch.sigmoid(2 * labels.float() - 1 + noise)
    actions = evaluation_speed.sides(rule, probabilities, labels)
    values = {name: action() for name, action in actions.items()}
    evaluation_speed.check_agreement(values)
    assert len(values) == 3 and 0 < values["this package"]["fitted"] < 1
    values["torchmetrics"]["macro_f1"] += 0.01
    with pytest.raises(
        ValueError, match="expected the macro_f1 of torchmetrics to be that of this"
    ):
        evaluation_speed.check_agreement(values)


def test_tables_are_printed(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "160")
    sizes = ["--data-set", "digits", "--repeats", "1", "--epochs", "1"]
    methods = ["--methods", "cross_entropy", "dvn"]
    monkeypatch.setattr(sys, "argv", ["evaluation_speed.py", *sizes, *methods])
    evaluation_speed.main()
    printed = capsys.readouterr().out
    assert printed.count("scikit-learn") == len(evaluation_speed.RULES)
    assert "cross_entropy" in printed and "dvn" in printed and "rest, %" in printed
