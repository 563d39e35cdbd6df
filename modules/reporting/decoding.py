"""Other decoders for finished runs: fitted to the validation data, without training."""

import copy
import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models.archival import archive_model

from ..atomic_files import write_atomically
from ..configs import component_faults
from ..decoders import Decoder, Evaluation
from ..models import StructuredEnergyModel
from ..score_networks import has_exact_inference
from ..vocabulary import names
from .data import RunData, load_data
from .inspection import inspecting, labelled
from .model import load_model
from .run import COMPARED, DECODERS, Run


class Decoded(NamedTuple):
    """A decoder that was fitted to the validation data of a run.

    # Fields

    config : of the decoder.
    decoder : the fitted decoder.
    metrics : the task metrics by part of the data, `validation` and where it was asked for `test`.
    """

    config: Any
    decoder: Decoder
    metrics: Dict[str, Dict[str, float]]


def label_of(config: Any) -> str:
    """Return a short name for the config of a decoder.

    >>> label_of({"type": "at-least-one", "decoder": {"type": "threshold", "threshold": 0.5}})
    'at-least-one(threshold(threshold=0.5))'
    """
    if isinstance(config, str):
        return config
    if not isinstance(config, dict) or "type" not in config:
        return json.dumps(config)
    inner = [
        label_of(value) if key == "decoder" else f"{key}={label_of(value)}"
        for key, value in config.items()
        if key != "type"
    ]
    return f"{config['type']}({', '.join(inner)})" if inner else str(config["type"])


def default_decoders(model: StructuredEnergyModel) -> List[Any]:
    """Return the configs of the decoders that have a meaning for the outputs of the model."""
    network = model.score_network
    exact = network is not None and has_exact_inference(network)
    draws = model.task_network is not None or exact
    if not model.output_space.is_binary:
        chosen: List[Any] = ["argmax"]
    elif names(model.vocab, "labels"):
        chosen = ["threshold", {"type": "at-least-one", "decoder": "threshold"}, "per-label"]
        chosen += ["relative", "relative-and-absolute", "top-k", "expected-f1"]
        chosen += [{"type": "at-least-one", "decoder": "expected-f1"}]
        chosen += ["expected-f1-of-draws"] if draws else []
    else:
        chosen = ["threshold"]
    if draws and model.oracle_value is not None:
        chosen.append("minimum-bayes-risk")
    if draws and network is not None:
        chosen.append("rerank")
    return chosen


def build_decoder(model: StructuredEnergyModel, config: Any) -> Decoder:
    """Return a decoder built from the parts of a model; a config without a metric takes that of the
    model's decoder.

    # Raises

    `ConfigurationError` for a config that is not that of a decoder, or does not fit the model.
    """
    faults = component_faults(Decoder, config)
    if faults:
        raise ConfigurationError(f"In the decoder {json.dumps(config)}: {faults[0].message}")
    given = {"type": config} if isinstance(config, str) else copy.deepcopy(config)
    shared = {
        "metric": None if "metric" in given else copy.deepcopy(model.decoder.metric),
        "task_network": model.task_network,
        "score_network": model.score_network,
        "oracle_value": model.oracle_value,
    }
    decoder = Decoder.from_params(
        Params(given),
        vocab=model.vocab,
        output_space=model.output_space,
        **{name: part for name, part in shared.items() if part is not None},
    )
    return decoder.to(next(model.parameters()).device).eval()


def decode_run(
    folder: Path, configs: Sequence[Any] = (), with_test: bool = False
) -> Dict[str, Decoded]:
    """Fit decoders to the validation data of a run, compute the task metrics of their outputs, and
    write them to `decoders.json` in its folder, beside those that are there; return those decoders
    by label.

    # Parameters

    folder : `Path`
        Of the run; its best weights are used.
    configs : `Sequence[Any]`
        Of the decoders; by default `default_decoders` and that of the run's config.
    with_test : `bool`
        Whether to compute the metrics on the test data too.

    # Raises

    `ValueError` for a run without validation data, or without the test data that are asked for.
    """
    model, run = load_model(folder), Run.read(folder)
    if not configs:
        own = run.config["model"].get("decoder")
        configs = [*default_decoders(model), *([] if own is None else [own])]
    found = {
        label_of(config): Decoded(config, build_decoder(model, config), {}) for config in configs
    }
    for part in ("validation", "test") if with_test else ("validation",):
        path = run.config.get(f"{part}_data_path")
        if path is None:
            raise ValueError(
                f"Expected a run with {part} data, got one without '{part}_data_path' in "
                f"'{folder}'."
            )
        _evaluate(model, load_data(folder, model.vocab, path), found, part)
    _write(folder, found)
    return found


def _evaluate(
    model: StructuredEnergyModel, data: RunData, found: Dict[str, Decoded], part: str
) -> None:
    """Predict the data once for all decoders, fit them if the data are to validate, and add the
    metrics."""
    metrics = list(model.evaluation.metrics.values())  # without data: the model only predicts
    evaluations = {
        label: Evaluation(copy.deepcopy(metrics), each.decoder) for label, each in found.items()
    }
    with inspecting(model) as device, ExitStack() as stack:
        if part == "validation":
            for evaluation in evaluations.values():
                stack.enter_context(evaluation.fitting())
        for batch in data.with_progress(f"predicting {data.path}"):
            x, labels, mask = labelled(model, batch, device, f"'{data.path}'")
            probabilities = model(x=x, mask=mask)["probabilities"]
            existing = model.output_space.existing_positions(mask)
            for evaluation in evaluations.values():
                evaluation(evaluation.decoder.predict(x, probabilities, existing), labels, mask)
    for label, decoded in found.items():
        decoded.metrics[part] = evaluations[label].values(reset=True)


def _write(folder: Path, found: Dict[str, Decoded]) -> None:
    path = folder / DECODERS
    content = json.loads(path.read_text()) if path.exists() else {}
    for label, decoded in found.items():
        state = {name: value.tolist() for name, value in decoded.decoder.state_dict().items()}
        old = content.get(label, {})
        content[label] = {
            "decoder": decoded.config,
            "parameters": decoded.decoder.fitted_values(),
            "state": state,
            # The test metrics of the same decoder stay where they were not computed again.
            **({"test": old["test"]} if old.get("state") == state and "test" in old else {}),
            **decoded.metrics,
        }
    write_atomically(path, json.dumps(content, indent=2))


def model_of(run: Run) -> StructuredEnergyModel:
    """Return the model of a run, with the decoder of the run where it names one of
    `decoders.json`."""
    model = load_model(run.folder)
    if run.decoder is not None:
        entry = run.decoders()[run.decoder]
        decoder = build_decoder(model, entry["decoder"])
        state = decoder.state_dict()
        decoder.load_state_dict(
            {name: torch.tensor(value).to(state[name]) for name, value in entry["state"].items()}
        )
        model.decoder = model.evaluation.decoder = decoder
    return model


def save_with_decoder(run: Run, target: Path) -> None:
    """Write a run with its chosen decoder to a new folder: config, weights, metrics, vocabulary and
    archive.

    # Raises

    `ValueError` for a folder that exists and is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise ValueError(f"Expected a new folder for the run with its decoder, got '{target}'.")
    assert run.decoder is not None
    model, entry = model_of(run), run.decoders()[run.decoder]
    config = json.loads((run.folder / "config.json").read_text())
    config["model"]["decoder"] = entry["decoder"]
    target.mkdir(parents=True, exist_ok=True)
    (target / "config.json").write_text(json.dumps(config, indent=2))
    torch.save(model.state_dict(), target / "best.th")
    shutil.copytree(run.folder / "vocabulary", target / "vocabulary", dirs_exist_ok=True)
    for name in ("meta.json", "environment.json"):
        if (run.folder / name).exists():
            shutil.copy(run.folder / name, target / name)
    metrics: Dict[str, Any] = {"best_epoch": run.best_epoch}
    for part, prefix in COMPARED.items():
        metrics.update({f"{prefix}{name}": v for name, v in entry.get(part, {}).items()})
    (target / "metrics.json").write_text(json.dumps(metrics, indent=2))
    epoch = {f"validation_{name}": value for name, value in entry["validation"].items()}
    (target / f"metrics_epoch_{run.best_epoch or 0}.json").write_text(json.dumps(epoch, indent=2))
    archive_model(target)
