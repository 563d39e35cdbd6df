"""The cases of large grids that `make test` runs; `make exhaustive` runs the whole grids.

A grid crosses registered classes, or shipped configs, with output spaces, data sets or settings.
The selections are made from the grid itself: a new class is covered without another line.
"""

import os

EXHAUSTIVE = "EXHAUSTIVE" in os.environ


def by_turns(cases, row, turn=0):
    """Return one case of each row: row r, counted from 0, gives its case r + turn.

    `row` is a function of a case. Rows that are classes and cases that are their spaces give each
    class, and each space where there are enough classes. Tests of the same grid that pass their
    numbers as `turn` run together each class in each space.
    """
    rows = {}
    for case in cases:
        rows.setdefault(row(case), []).append(case)
    if EXHAUSTIVE:
        return [case for each in rows.values() for case in each]
    return [each[(number + turn) % len(each)] for number, each in enumerate(rows.values())]


def covering(cases, features):
    """Return cases that have together all features of all cases, few of them.

    `features` is a function that returns the set of features of a case, such as the names of its
    components. Each step takes the first case with the most features that are still missing.
    """
    cases = list(cases)
    if EXHAUSTIVE:
        return cases
    of_cases = {case: frozenset(features(case)) for case in cases}
    missing, taken = set().union(*of_cases.values()), set()
    while missing:
        best = max(cases, key=lambda case: len(of_cases[case] & missing))
        taken.add(best)
        missing -= of_cases[best]
    return [case for case in cases if case in taken]
