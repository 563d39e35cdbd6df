"""pytest fixtures."""

from pathlib import Path
from typing import Any, Callable

import pytest
from allennlp.common import Params
from allennlp.models import Model

from .problem import TestProblem, evaluate_jsonnet, make_test_problem, train_snippet


@pytest.fixture()
def problem() -> TestProblem:
    """Small problem in double precision; `problem.build(Loss, "{type: 'score'}")` builds on it."""
    return make_test_problem()


@pytest.fixture()
def tiny_model(problem: TestProblem) -> Callable[[str], Model]:
    """Builds a model of the problem's features and labels from a Jsonnet snippet."""

    def build(snippet: str) -> Model:
        params: Any = {"type": "structured-energy", "output_space": "binary"}
        return Model.from_params(
            Params({**params, **evaluate_jsonnet(snippet)}), vocab=problem.vocab
        )

    return build


@pytest.fixture()
def trained_run(tmp_path: Path) -> Callable[[str], Path]:
    """Trains a run from a Jsonnet snippet with `model` and `trainer`, and gives its folder."""

    def train(snippet: str) -> Path:
        train_snippet(snippet, tmp_path)
        return tmp_path / "run"

    return train
