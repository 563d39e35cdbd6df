"""Configs of earlier versions, which named the networks by their modality, and had thresholds."""

import json
from typing import Any, Dict

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

_OLD_TYPES = ("multi-label", "sequence-tagging", "segmentation")


def refuse_old_form(params: Any, key: str) -> None:
    """Raise `ConfigurationError` for a network in the form of earlier versions, with its new form.

    # Parameters

    params : `Params` or anything else that a config has in the place of the network
    key : `str`
        The key of the network in the model: `task_network` or `score_network`.
    """
    config = params.as_dict(quiet=True) if isinstance(params, Params) else {}
    kind = config.get("type")
    if kind is None and "feature_network" in config:
        kind = "multi-label"
    if kind in _OLD_TYPES:
        new = json.dumps(_new_form(kind, config))
        raise ConfigurationError(
            f"Expected a network with an encoder at 'model.{key}', got the earlier form "
            f"'{kind}'; write {new}"
        )


def refuse_threshold(model: Dict[str, Any]) -> None:
    """Raise `ConfigurationError` for the config of a model with a threshold, with its new form."""
    if "threshold" not in model:
        return
    old = model["threshold"]
    settings = {"type": old} if isinstance(old, str) else dict(old or {})
    kind = settings.pop("type", "fixed")
    new: Dict[str, Any] = {"type": "threshold", **settings}
    if kind == "fixed":
        new = {"type": "threshold", "threshold": settings.get("value", 0.5)}
    raise ConfigurationError(
        f"Expected a decoder in the model, got the threshold {json.dumps(old)} of an earlier "
        f'version; write "decoder": {json.dumps(new)}'
    )


def _new_form(kind: str, config: Dict[str, Any]) -> Dict[str, Any]:
    if kind == "multi-label":
        encoder = {"type": "feedforward", "feedforward": config.get("feature_network", {})}
    elif kind == "sequence-tagging":
        keys = ("embedder", "encoder", "dropout")
        encoder = {"type": "tokens", **{k: config[k] for k in keys if k in config}}
    else:
        channels = config.get("image_and_mask", {}).get("num_channels", 3)
        encoder = config.get("encoder", {"type": "pixels", "num_channels": channels})
    new: Dict[str, Any] = {"encoder": encoder}
    terms = list(config.get("structured_scores", []))
    terms += [
        {"type": key.replace("_", "-"), **config[key]}
        for key in ("image_and_mask", "encoding_and_mask")
        if key in config
    ]
    if terms:
        new["structured_scores"] = terms
    if kind == "segmentation" and "encoder" not in config:
        new["local_term"] = False
    if "pixels" in config:
        new["positions"] = config["pixels"]
    return new
