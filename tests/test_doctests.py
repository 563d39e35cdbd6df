"""Every example in a docstring is executed."""

import doctest
import importlib
import pkgutil

import pytest

import structured_energy

MODULES = ["structured_energy"] + [
    module.name
    for module in pkgutil.walk_packages(structured_energy.__path__, "structured_energy.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert sum(len(test.examples) for test in found) > 10
