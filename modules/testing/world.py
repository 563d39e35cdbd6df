"""A small world in which any component can be built and run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Type, TypeVar

import _jsonnet
import torch
from allennlp.commands.train import train_model
from allennlp.common import FromParams, Params
from allennlp.data import Vocabulary
from allennlp.models import Model

from ..oracle_values import OracleValue, PerInstanceF1
from ..output_spaces import BinaryOutputSpace, OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from ..task_networks import TaskNetwork

T = TypeVar("T", bound=FromParams)

FEATURES = [f"feature_{i}" for i in range(5)]
LABELS = [f"label_{i}" for i in range(4)]

_FEATURE_NETWORK = {"num_layers": 1, "hidden_dims": 6, "activations": "softplus"}


def evaluate_jsonnet(snippet: str) -> Any:
    """The value of a Jsonnet snippet."""
    return json.loads(_jsonnet.evaluate_snippet("snippet", snippet))


@dataclass
class World:
    """Small networks, and a batch with padding, all of one dtype.

    `x` is `(batch, 5)`, `labels` and `mask` are `(batch, 4)`.
    """

    vocab: Vocabulary
    output_space: OutputSpace
    oracle_value: OracleValue
    task_network: TaskNetwork
    score_network: ScoreNetwork
    x: torch.Tensor
    labels: torch.Tensor
    mask: torch.Tensor

    def build(self, base: Type[T], snippet: str) -> T:
        """A component from a Jsonnet snippet, such as `build(Loss, "{type: 'score'}")`, with the
        shared objects that the model hands down."""
        params = evaluate_jsonnet(snippet)
        component = base.from_params(
            Params({"type": params} if isinstance(params, str) else params),
            vocab=self.vocab,
            output_space=self.output_space,
            oracle_value=self.oracle_value,
            task_network=self.task_network,
            score_network=self.score_network,
            num_labels=len(LABELS),
        )
        if isinstance(component, torch.nn.Module):
            component.to(self.x.dtype)
        return component

    @property
    def truth(self) -> torch.Tensor:
        """The encoded labels, `(batch, 1, *event_shape)`."""
        return self.output_space.encode(self.labels, self.x.dtype)

    def sample(self, num_samples: int = 3) -> SamplerOutput:
        """Random proposals with everything that a sampler can give."""
        logits = torch.randn(len(self.x), num_samples, *self.labels.shape[1:], dtype=self.x.dtype)
        y = self.output_space.normalize(logits)
        return SamplerOutput(
            y=y,
            logits=logits,
            cost_augmented=self.output_space.normalize(torch.randn_like(logits)),
            log_prob=self.output_space.log_prob(logits, y),
        )


def make_world(seed: int = 0, dtype: torch.dtype = torch.float64, batch_size: int = 3) -> World:
    """A world whose weights and batch depend on the seed alone."""
    torch.manual_seed(seed)
    vocab = Vocabulary()
    for namespace, tokens in (("features", FEATURES), ("labels", LABELS)):
        for token in tokens:
            vocab.add_token_to_namespace(token, namespace)
    space = BinaryOutputSpace()
    task_network = TaskNetwork.from_params(
        Params({"type": "multi-label", "feature_network": dict(_FEATURE_NETWORK)}), vocab=vocab
    )
    score_network = ScoreNetwork.from_params(
        Params(
            {
                "type": "multi-label",
                "feature_network": dict(_FEATURE_NETWORK),
                "structured_scores": [
                    {"type": "feedforward", "feedforward": dict(_FEATURE_NETWORK)}
                ],
            }
        ),
        vocab=vocab,
        output_space=space,
    )
    mask = torch.ones(batch_size, len(LABELS), dtype=torch.bool)
    mask[-1, -2:] = False
    return World(
        vocab=vocab,
        output_space=space,
        oracle_value=PerInstanceF1(space),
        task_network=task_network.to(dtype),
        score_network=score_network.to(dtype),
        x=torch.randn(batch_size, len(FEATURES), dtype=dtype),
        labels=torch.rand(batch_size, len(LABELS)) < 0.5,
        mask=mask,
    )


def write_arff(directory: Path, name: str, rows: int, seed: int = 0) -> Path:
    """A learnable ARFF file of a world's features and labels, with Mulan's XML beside it."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, len(FEATURES), generator=generator)
    weights = torch.randn(len(FEATURES), len(LABELS), generator=torch.Generator().manual_seed(13))
    labels = (x @ weights > 0).int()
    lines = ["@relation world", *(f"@attribute {name} numeric" for name in FEATURES)]
    lines += [f"@attribute {name} {{0,1}}" for name in LABELS]
    lines.append("@data")
    for features, on in zip(x.tolist(), labels.tolist(), strict=True):
        lines.append(",".join([*(f"{value:.4f}" for value in features), *map(str, on)]))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"world-{name}.arff"
    path.write_text("\n".join(lines) + "\n")
    names = "".join(f'<label name="{name}"></label>' for name in LABELS)
    (directory / "world.xml").write_text(f"<labels>{names}</labels>")
    return path


def data_config(directory: Path, rows: int = 24, batch_size: int = 8) -> Dict[str, Any]:
    """The data part of a config, on small files that it writes."""
    return {
        "dataset_reader": {"type": "arff"},
        "train_data_path": str(write_arff(directory, "train", rows, seed=1)),
        "validation_data_path": str(write_arff(directory, "validation", rows // 2, seed=2)),
        "data_loader": {"type": "tensor", "batch_size": batch_size, "shuffle": True},
    }


def merged(base: Dict[str, Any], over: Dict[str, Any]) -> Dict[str, Any]:
    """`base` with `over` laid over it, dictionary by dictionary."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def train_snippet(snippet: str, directory: Path, over: Optional[Dict[str, Any]] = None) -> Model:
    """Trains a whole run, into `directory / "run"`, from a Jsonnet snippet with `model` and
    `trainer`; the data are small files, unless the snippet has its own."""
    config = merged(data_config(directory / "data"), evaluate_jsonnet(snippet))
    return train_model(Params(merged(config, over or {})), str(directory / "run"), force=True)
