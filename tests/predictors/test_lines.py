"""Lines to predict for: an error names the file and the line, whatever reads them."""

import io
import json
from types import SimpleNamespace

import pytest
from allennlp.commands.predict import _PredictManager
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from snippets import CROSS_ENTROPY

from structured_energy.testing import train_snippet

GOOD = '{"features": [0, 0, 0, 0, 0]}\n'


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    train_snippet(CROSS_ENTROPY, folder, {})
    return Predictor.from_archive(load_archive(folder / "run" / "model.tar.gz"))


def predict(predictor, path, output=None):
    _PredictManager(predictor, str(path), output, 2, False, False).run()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD + '\n{"features": [1]}\n', "line 3: Expected 5 features, as in .* got 1"),
        (GOOD + '{"feature": [1]}\n', "line 2: Expected a line with the key 'features'"),
        (GOOD + "{\n", "line 2: Expected a line that is JSON, got '{'"),
        (GOOD + "[1]\n", "line 2: Expected a line that is a dictionary in JSON"),
        (GOOD + '{"features": {"feature_0": NaN}}\n', "line 2: Expected a finite number"),
        ((GOOD + '{"a": "é"}\n').encode("latin-1"), "line 2: expected text in UTF-8, got .* 0xe9"),
        (GOOD.encode("utf-16"), "line 1: expected text in UTF-8, got the byte 0xff"),
    ],
)
def test_a_bad_line_is_named(predictor, tmp_path, content, message):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=f"^{path}, {message}"):
        predict(predictor, path)


def test_blank_lines_and_a_byte_order_mark_are_ignored(predictor, tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("\n" + GOOD + "  \n" + GOOD.strip(), encoding="utf-8-sig")
    predict(predictor, path, str(tmp_path / "out.jsonl"))
    assert len([json.loads(line) for line in (tmp_path / "out.jsonl").open()]) == 2


def test_a_line_of_standard_input_is_named(predictor, monkeypatch):
    lines = io.BytesIO((GOOD + '{"features": 3}\n').encode())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=lines))
    with pytest.raises(ValueError, match="^standard input, line 2: Expected features as a list"):
        predict(predictor, "-")


def test_a_dictionary_of_a_program_has_no_place(predictor):
    with pytest.raises(ValueError, match="^Expected a line with the key 'features'"):
        predictor.predict_json({})
