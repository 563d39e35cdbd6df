"""The script that breaks lines: its mutants compile, differ, and leave the file as it was."""

import ast
import signal
import subprocess
import sys

import mutation_check
import pytest

TEXT = '''"""A file, with a – that is more than one byte."""


def f(a, b, mask):
    # – and here
    if a > b:
        return -(a - b).masked_fill(~mask, 0.0)
    return g(a, mask) * 2
'''


def mutants(tmp_path, monkeypatch):
    path = tmp_path / "file.py"
    path.write_text(TEXT)
    monkeypatch.setattr(mutation_check, "ROOT", tmp_path)
    return mutation_check.mutants_of(path)


def test_mutants_compile_and_each_changes_one_expression(tmp_path, monkeypatch):
    found = mutants(tmp_path, monkeypatch)
    texts = {mutant.apply(TEXT.encode()).decode() for mutant in found}
    assert len(texts) == len(found) and TEXT not in texts
    for text in texts:
        ast.parse(text)
    changes = {mutant.what.split(": ", 1)[1] for mutant in found}
    assert changes >= {
        "a > b -> a <= b",
        "a - b -> a + b",
        "a - b -> b - a",
        "~mask -> mask",
        "(a - b).masked_fill(~mask, 0.0) -> a - b",
        "g(a, mask) -> g(a, None)",
        "g(a, mask) * 2 -> g(a, mask) / 2",
        "2 -> 3",
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_file_is_restored_after_an_interrupt(tmp_path, monkeypatch, error):
    mutant = mutants(tmp_path, monkeypatch)[0]
    with pytest.raises(error), mutation_check.applied(mutant):
        assert mutant.path.read_text() != TEXT
        raise error
    assert mutant.path.read_text() == TEXT
    with pytest.raises(SystemExit):  # what ends the script by a signal
        mutation_check.interrupted(signal.SIGTERM, None)


def test_survivors_are_counted(tmp_path, monkeypatch, capsys):
    (tmp_path / "modules" / "losses").mkdir(parents=True)
    path = tmp_path / "modules" / "losses" / "file.py"
    path.write_text(TEXT)
    monkeypatch.setattr(mutation_check, "ROOT", tmp_path)
    results = iter([True, False, False])
    monkeypatch.setattr(mutation_check, "passes", lambda part, timeout: next(results))
    monkeypatch.setattr(sys, "argv", ["mutation_check.py", "--count", "3", "--parts", "losses"])
    assert mutation_check.main() == 1
    text = capsys.readouterr().out
    assert "2 of 3 mutants are caught" in text and text.count("SURVIVES") == 1
    assert path.read_text() == TEXT


@pytest.mark.parametrize("error", [None, subprocess.TimeoutExpired("pytest", 1)])
def test_tests_that_fail_or_hang_catch_a_mutant(monkeypatch, error):
    codes = iter([0, 0, 0, 1])

    def run(*arguments, **settings):
        if error is not None:
            raise error
        return subprocess.CompletedProcess(arguments, next(codes))

    monkeypatch.setattr(subprocess, "run", run)
    assert [mutation_check.passes("losses") for _ in range(2)] == [error is None, False]
