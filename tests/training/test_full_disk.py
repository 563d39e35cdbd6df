"""A full disk while a run saves: training ends in one sentence and keeps the last checkpoint."""

import json
import resource

import pytest
import torch
from forked_command import allennlp

from structured_energy.testing import data_config, evaluate_jsonnet, merged

MODEL = """{
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {
      encoder: {
        type: 'feedforward',
        feedforward: { num_layers: 1, hidden_dims: 300, activations: 'relu' },
      },
    },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
  },
  trainer: { type: 'minimax', num_epochs: 4, optimizer: { type: 'adam', lr: 0.01 } },
}"""
FULL = '''"""A disk that is full from the third epoch on."""

import resource

from allennlp.training import TrainerCallback


@TrainerCallback.register("full-disk")
class FullDisk(TrainerCallback):
    def on_batch(self, trainer, *arguments, **settings):
        if trainer._epochs_completed == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
'''


def train(folder, run, *flags):
    flags += ("--include-package", "structured_energy", "--include-package", "full_disk")
    return allennlp("train", "config.json", "-s", run, *flags, cwd=folder)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY,
    reason="needs files of any size before their size is limited",
)
def test_training_ends_in_one_sentence_and_resumes_when_there_is_room(tmp_path):
    (tmp_path / "full_disk.py").write_text(FULL)
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(MODEL))
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert train(tmp_path, "whole").returncode == 0
    full = merged(config, {"trainer": {"callbacks": ["full-disk"]}})
    (tmp_path / "config.json").write_text(json.dumps(full))

    result = train(tmp_path, "run")
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: Expected to write run/model_state_e3_b0.th, got")
    assert last.endswith("free some space, and resume with --recover.")
    run = tmp_path / "run"
    assert not list(run.glob("*.unfinished")) and not list(run.glob("*_e3_*"))
    for name in ("model_state_e2_b0.th", "training_state_e2_b0.th", "best.th"):
        torch.load(run / name)

    (tmp_path / "config.json").write_text(json.dumps(config))
    (run / "config.json").write_text(json.dumps(config))
    result = train(tmp_path, "run", "--recover")
    assert result.returncode == 0, result.stderr[-2000:]
    first, second = (torch.load(tmp_path / name / "best.th") for name in ("run", "whole"))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
