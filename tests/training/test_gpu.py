"""Training on a GPU: every method, half precision, compiled networks, recovery, and the number of
times that the host waits for the device."""

import functools
import json
import warnings

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.training import gradient_descent_trainer
from shipped import FOLDER, METHODS, is_random, name_of, small_and_plain

from structured_energy.networks import frozen
from structured_energy.training import MinimaxTrainer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
OF_THE_MACHINE = ("memory_MB", "duration")


@pytest.fixture(autouse=True)
def single_precision(monkeypatch):
    """Make convolutions as exact as on the CPU."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def metrics_of(config, folder, recover=False, **trainer):
    config = json.loads(json.dumps(config))
    config["trainer"].update(trainer)
    train_model(Params(config), str(folder), recover=recover)
    metrics = json.loads((folder / "metrics.json").read_text())
    return {
        key: value
        for key, value in metrics.items()
        if isinstance(value, float) and not key.endswith(OF_THE_MACHINE)
    }


def without_accumulation(config):
    config["trainer"].pop("num_gradient_accumulation_steps", None)
    for network in config["trainer"].get("networks", {}).values():
        network.pop("num_gradient_accumulation_steps", None)
    return config


@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_methods_learn_the_same_as_on_the_cpu(path, tmp_path):
    config = small_and_plain(path, tmp_path / "data")
    on_cpu = metrics_of(config, tmp_path / "cpu", cuda_device=-1)
    on_gpu = metrics_of(config, tmp_path / "gpu", cuda_device=0)
    assert on_cpu.keys() == on_gpu.keys()
    for name, value in on_gpu.items():
        assert abs(value) < float("inf"), name
        if not is_random(config):
            assert value == pytest.approx(on_cpu[name], rel=2e-2, abs=2e-3), name


def test_evaluations_are_those_of_the_cpu_and_draw_numbers_of_their_own(tmp_path):
    path = FOLDER / "multi_label/digits/inference_network.jsonnet"
    config = small_and_plain(path, tmp_path / "data")
    config["model"]["metrics"] += ["label-f1", "map-micro", "relaxed-f1", "ndcg-at-k"]
    plain = metrics_of(config, tmp_path / "plain", cuda_device=0)
    deterministic = {
        "ranking": {"type": "score-ranking", "sampler": "inference-network"},
        "refined": {"type": "inference", "sampler": "gradient-based-inference"},
    }
    config["model"]["evaluations"] = deterministic
    on_cpu = metrics_of(config, tmp_path / "cpu", cuda_device=-1)
    config["model"]["evaluations"] = {**deterministic, "drawn": {"type": "score-ranking"}}
    on_gpu = metrics_of(config, tmp_path / "gpu", cuda_device=0)
    for name, value in on_cpu.items():
        assert on_gpu[name] == pytest.approx(value, rel=2e-2, abs=2e-3), name
    for name, value in plain.items():
        assert on_gpu[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("amp_dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_methods_learn_in_half_precision(path, amp_dtype, tmp_path, monkeypatch):
    # From its usual scale, 65536, a scaler leaves out the first steps, of which there are few here.
    scaler = functools.partial(torch.amp.GradScaler, "cuda", init_scale=1.0)
    monkeypatch.setattr(gradient_descent_trainer.amp, "GradScaler", scaler)
    config = without_accumulation(small_and_plain(path, tmp_path / "data"))
    half = metrics_of(
        config,
        tmp_path / "half",
        cuda_device=0,
        use_amp=True,
        amp_dtype=amp_dtype,
        grad_scaling=amp_dtype == "float16",
    )
    single = metrics_of(config, tmp_path / "single", cuda_device=0)
    assert half.keys() == single.keys()
    for name, value in half.items():
        assert abs(value) < float("inf"), name
    if not is_random(config):
        loss = "validation_loss"
        assert half[loss] == pytest.approx(single[loss], rel=0.2, abs=0.05)


@pytest.mark.parametrize(
    "method",
    [
        "multi_label/digits/inference_network",
        "tagging/twpos/inference_network_high_order",
        "segmentation/weizmann_horses/cross_entropy",
    ],
)
def test_compiled_networks_learn_the_same(method, tmp_path):
    config = small_and_plain(FOLDER / f"{method}.jsonnet", tmp_path / "data")
    plain = metrics_of(config, tmp_path / "plain", cuda_device=0)
    compiled = metrics_of(config, tmp_path / "compiled", cuda_device=0, compile_networks=True)
    for name, value in plain.items():
        assert compiled[name] == pytest.approx(value, rel=2e-2, abs=2e-3), name


def test_a_stopped_run_resumes_with_its_random_numbers(tmp_path, monkeypatch):
    config = small_and_plain(
        FOLDER / "multi_label/digits/inference_network.jsonnet", tmp_path / "data"
    )
    config["model"]["task_network"]["encoder"]["feedforward"]["dropout"] = 0.5
    settings = {"cuda_device": 0, "num_epochs": 3}
    whole = metrics_of(config, tmp_path / "whole", **settings)

    class Stopped(Exception):
        pass

    def stopped(self, epoch, train_epoch=MinimaxTrainer._train_epoch):
        if epoch == 2:
            raise Stopped
        return train_epoch(self, epoch)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(MinimaxTrainer, "_train_epoch", stopped)
        metrics_of(config, tmp_path / "run", **settings)
    again = metrics_of(config, tmp_path / "run", recover=True, **settings)
    for name, value in whole.items():
        assert again[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


def waits_in(config, folder, **trainer):
    """Count how often the host waits for the device in a training without validation."""
    for key in ("validation_data_path", "test_data_path", "validation_data_loader"):
        config.pop(key, None)
    config["evaluate_on_test"] = False
    trainer.update(cuda_device=0, validation_metric="-loss", patience=None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            metrics_of(config, folder, **trainer)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing CUDA operation" in str(each.message) for each in caught)


@pytest.mark.parametrize(
    "method, descents",
    [
        ("cross_entropy", 0),
        ("inference_network", 0),
        ("seal_dynamic_nce", 0),
        ("dvn", 2),
        ("spen", 1),
    ],
)
def test_the_host_waits_as_often_as_in_the_loop_of_allennlp(method, descents, tmp_path):
    config = small_and_plain(FOLDER / f"multi_label/digits/{method}.jsonnet", tmp_path / "data")
    counts = {}
    for batches in (2, 6):
        config["data_loader"].update(batch_size=4, batches_per_epoch=batches)
        counts[batches] = waits_in(config, tmp_path / f"run_{batches}", num_epochs=1)
    # AllenNLP's loop waits for isnan(loss), for loss.item(), and for the metrics, whose tree is
    # copied as a whole. Each gradient-based inference asks once whether its scores are numbers.
    assert (counts[6] - counts[2]) / 4 <= 3 + descents


def test_a_recurrent_network_whose_weights_are_constant_has_gradients():
    """cuDNN has none for those in evaluation mode."""
    lstm = torch.nn.LSTM(3, 4, num_layers=2, dropout=0.5, batch_first=True).cuda().eval()
    x = torch.randn(2, 5, 3, device="cuda", requires_grad=True)
    with frozen(lstm):
        first, again = (lstm(x)[0].sum() for _ in range(2))
        (gradient,) = torch.autograd.grad(first, x)
    assert first == again
    assert gradient.abs().sum() > 0
    assert not lstm.training and lstm.dropout == 0.5
