"""The check of configs accepts every config that the suites build."""

import json

import test_conformance
import test_readers
from allennlp.data import DatasetReader

from structured_energy.configs import component_faults, evaluate_snippet
from structured_energy.testing.conformance.suite import Conformance


def suites(base):
    for suite in base.__subclasses__():
        yield from suites(suite)
        if suite.__module__ == test_conformance.__name__:
            yield suite


def configs():
    for suite in suites(Conformance):
        yield from ((suite.base, text) for text, _ in suite().cases())
    for suite in test_readers.ReaderConformance.__subclasses__():
        yield DatasetReader, suite.config


def test_what_is_built_has_no_faults():
    pairs = list(configs())
    assert len(pairs) > 40
    # In one snippet: each evaluation of Jsonnet takes 40 ms.
    values = json.loads(evaluate_snippet("all", f"[{','.join(text for _, text in pairs)}]"))
    for (base, text), value in zip(pairs, values, strict=True):
        assert component_faults(base, value) == [], text
