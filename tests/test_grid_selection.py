"""The selections of `make test`: what they leave out, and that nothing is left out altogether."""

import itertools

import pytest
import selection
from selection import by_turns, covering

GRID = list(itertools.product("abcdefg", range(3)))


def row(case):
    return case[0]


@pytest.fixture(autouse=True)
def as_in_make_test(monkeypatch):
    monkeypatch.setattr(selection, "EXHAUSTIVE", False)


def test_by_turns_each_row_gives_one_case_and_each_column_occurs():
    taken = by_turns(GRID, row)
    assert [case[0] for case in taken] == list("abcdefg")
    assert {case[1] for case in taken} == {0, 1, 2}


def test_the_turns_of_as_many_tests_as_columns_give_the_whole_grid():
    together = [case for turn in range(3) for case in by_turns(GRID, row, turn)]
    assert sorted(together) == GRID


def test_a_new_row_is_covered():
    assert ("new", 0) in by_turns([*GRID, ("new", 0)], row)


def test_a_covering_is_short_and_has_every_feature():
    cases = ["ab", "a", "bc", "abc", "d", "dc"]
    assert covering(cases, set) == ["abc", "d"]


def test_the_whole_grids_run_on_request(monkeypatch):
    monkeypatch.setattr(selection, "EXHAUSTIVE", True)
    assert by_turns(GRID, row, 2) == GRID
    assert covering(["a", "ab"], set) == ["a", "ab"]
