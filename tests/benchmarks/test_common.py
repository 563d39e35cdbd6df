"""The configs of methods on data sets that benchmarks and experiments share."""

import json
import shutil

import pytest
from shipped import config_of

from benchmarks import common
from structured_energy.configs import LIBRARY


def test_what_a_method_was_tuned_to_is_its_own(monkeypatch, tmp_path):
    folder = tmp_path / "structured_energy"
    shutil.copytree(LIBRARY, folder)
    tuned = {"twpos": {"crf": {"lr": 0.11}, "inference_network_high_order": {"score_lr": 0.12}}}
    methods = common.methods_of("twpos")
    monkeypatch.setattr("structured_energy.configs.library._SEARCH_PATH", tmp_path)
    (folder / "tuned.json").write_text("{}")
    plain = {m: common.config_of("twpos", m) for m in methods}
    (folder / "tuned.json").write_text(json.dumps(tuned))
    changed = {m for m in methods if common.config_of("twpos", m) != plain[m]}
    assert changed == {"crf", "inference_network_high_order"}
    for data_set in ("twpos", "ud_english_ewt"):  # the second was not searched itself
        assert common.config_of(data_set, "crf")["trainer"]["optimizer"]["lr"] == 0.11


def test_data_sets_have_the_methods_of_their_task():
    assert "spen" in common.methods_of("digits") and "crf" not in common.methods_of("digits")
    assert "crf" in common.methods_of("twpos") and "dvn" not in common.methods_of("twpos")
    for data_set, chosen in (("digits", ["dvn", "seal_static"]), ("twpos", ["crf"])):
        for method in chosen:
            folder = common.ROOT / "training_configs" / common.task_of(data_set) / data_set
            assert common.config_of(data_set, method) == config_of(folder / f"{method}.jsonnet")
    with pytest.raises(ValueError, match="expected a method of digits"):
        common.check_methods(["digits"], ["crf"])
