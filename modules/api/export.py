"""Task networks in files that other programs run."""

import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import List

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError

from ..models import StructuredEnergyModel
from ..reporting import inspecting
from ..samplers import InferenceNetworkSampler

ONNX, TORCH = ".onnx", ".pt2"
# What the export and the check of an .onnx file import.
_NEEDED = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4  # in probabilities, between torch and ONNX Runtime in single precision


class Probabilities(torch.nn.Module):
    """The task network followed by the output space: x to probabilities `(batch, *event_shape)`.

    # Raises

    `ConfigurationError` for a model that does not predict by its task network.
    """

    def __init__(self, model: StructuredEnergyModel) -> None:
        super().__init__()
        if model.task_network is None:
            raise ConfigurationError(
                "Expected a model with a task network to export, got one that predicts by "
                f"{type(model.inference).__name__}; train a method with a task network, such as "
                "'seal_dynamic_nce'."
            )
        if not isinstance(model.inference, InferenceNetworkSampler):
            warnings.warn(
                f"The model predicts by {type(model.inference).__name__}; the exported task "
                "network only starts it, so its probabilities differ from the model's.",
                stacklevel=3,
            )
        self.task_network = model.task_network
        self.output_space = model.output_space

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of x."""
        return self.output_space.normalize(self.task_network(x).unsqueeze(1)).squeeze(1)


def export(model: StructuredEnergyModel, path: Path, x: torch.Tensor) -> None:
    """Write the task network of a model to a file, and check its probabilities.

    # Parameters

    path : `Path`
        Ends in `.onnx` (needs the packages onnx, onnxscript and onnxruntime), or in `.pt2`, which
        `torch.export.load` reads.
    x : `torch.Tensor`
        A batch of at least 2 inputs: vectors of features or images. The file takes any number of
        inputs, `x`, and returns their `probabilities`.

    # Raises

    `ValueError` for another suffix, for an input that is no tensor, where a package is missing, or
    where the probabilities of the file differ from torch's.
    """
    if path.suffix not in (ONNX, TORCH):
        raise ValueError(f"Expected a file that ends in '{ONNX}' or '{TORCH}', got '{path}'.")
    if not isinstance(x, torch.Tensor):
        raise ValueError(
            "Expected a model of vectors of features or of images to export, got one of texts, "
            "whose encoders have no fixed inputs; use 'load' and 'predict' for it."
        )
    missing = [name for name in _NEEDED if path.suffix == ONNX and find_spec(name) is None]
    if missing:
        raise ValueError(
            f"Expected the package '{missing[0]}' to export to ONNX; install it by "
            f"'pip install {' '.join(_NEEDED)}', or export to '{TORCH}'."
        )
    with inspecting(model):
        network = Probabilities(model).eval().cpu()
        x = x.cpu()
        expected = network(x).numpy()
        free = torch.export.Dim.AUTO
        shapes = {"x": {0: torch.export.Dim("batch"), **dict.fromkeys(range(2, x.dim()), free)}}
        program = torch.export.export(network, (x,), dynamic_shapes=shapes)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == TORCH:
            torch.export.save(program, path)
            actual = torch.export.load(path).module()(x).numpy()
        else:
            actual = _export_to_onnx(program, path, x)
    difference = float(np.abs(actual - expected).max())
    if not difference <= TOLERANCE:
        raise ValueError(
            f"{path}: expected the probabilities of torch up to {TOLERANCE}, got a difference of "
            f"{difference:.2g}; please report this model."
        )


def _export_to_onnx(
    program: torch.export.ExportedProgram, path: Path, x: torch.Tensor
) -> np.ndarray:
    import onnxruntime

    names: List[str] = ["probabilities"]
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside torch and its exporter
        logger.setLevel(logging.ERROR)  # operators of packages that no network here uses
        try:
            onnx = torch.onnx.export(
                program, dynamo=True, verbose=False, input_names=["x"], output_names=names
            )
        finally:
            logger.setLevel(level)
    assert onnx is not None
    onnx.save(str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(names, {"x": x.numpy()})[0]
