"""A small problem on which any component can be built and run."""

import copy
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Type, TypeVar

import torch
from allennlp.commands.train import train_model
from allennlp.common import FromParams, Params
from allennlp.data import Vocabulary
from allennlp.models import Model

from ..configs import evaluate_snippet
from ..metrics import ExampleF1, StructuredMetric, TagAccuracy, UnlabelledAttachmentScore
from ..networks import hand_down
from ..oracle_values import OracleValue, PerInstanceF1
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork, StructuredScore
from ..task_networks import TaskNetwork
from ..taxonomy import Taxonomy
from .files import FEATURES, LABELS, PARENTS, write_arff

T = TypeVar("T", bound=FromParams)

WORDS = [f"word_{i}" for i in range(6)]
TAGS = ["O", "B-X", "I-X"]
RELATIONS = ["nsubj", "punct", "obj:arg"]
# The problems: sets of labels, sequences of tags, masks of images, sets of labels that are closed
# under ancestors in a tree and in a directed acyclic graph, and dependency trees. Labels that the
# mask leaves out have no others below them.
SPACES = ("binary", "categorical", "image", "tree", "dag", "dependencies")
SIZE = (2, 3)

_FEEDFORWARD = {"num_layers": 1, "hidden_dims": 6, "activations": "softplus"}
_ENCODERS: Dict[str, Dict[str, Any]] = {
    "binary": {"type": "feedforward", "feedforward": _FEEDFORWARD},
    "categorical": {
        "type": "tokens",
        "embedder": {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 5}}},
        "encoder": {"type": "feedforward", "feedforward": {"input_dim": 5, **_FEEDFORWARD}},
    },
    "image": {"type": "fully-convolutional", "hidden": [4, 4], "num_channels": 2},
}
_ENCODERS["dependencies"] = _ENCODERS["categorical"]
_STRUCTURED_SCORE: Dict[str, Dict[str, Any]] = {
    "binary": {"type": "feedforward", "feedforward": _FEEDFORWARD},
    "categorical": {"type": "linear-chain"},
    "image": {"type": "grid"},
}


for _space in PARENTS:
    _ENCODERS[_space] = _ENCODERS["binary"]

_PROJECTION = {
    "dependencies": {"type": "biaffine", "arc_size": 5, "relation_size": 4, "dropout": 0.0}
}
_STRUCTURED_SCORE.update(
    tree={"type": "taxonomy"},
    dag=_STRUCTURED_SCORE["binary"],
)


_KINDS = {
    "image": "binary",
    "tree": "hierarchical",
    "dag": "hierarchical",
    "dependencies": "dependency-tree",
}


def evaluate_jsonnet(snippet: str) -> Any:
    """Return the value of a Jsonnet snippet."""
    return json.loads(_as_json(snippet))


@functools.lru_cache(maxsize=1024)
def _as_json(snippet: str) -> str:
    """Return a Jsonnet snippet as JSON. Jsonnet takes 40 ms for the shortest one, so the same
    snippet is evaluated once, and one that is JSON not at all."""
    try:
        json.loads(snippet)
        return snippet
    except json.JSONDecodeError:
        return evaluate_snippet("snippet", snippet)


@dataclass
class TestProblem:
    """Small networks, and a batch with padding, all of one dtype.

    `labels` and `mask` are `(batch, 4)`, for images `(batch, 2, 3)`; `x` is `(batch, 5)` for sets
    of labels, the tensors of a text field for sequences of tags and dependency trees, `(batch, 2,
    2, 3)` for images.
    """

    vocab: Vocabulary
    output_space: OutputSpace
    oracle_value: OracleValue
    task_network: TaskNetwork
    score_network: ScoreNetwork
    x: Any
    labels: torch.Tensor
    mask: torch.Tensor
    space: str

    __test__ = False  # pytest would collect it for its name

    def build(self, base: Type[T], snippet: str) -> T:
        """Build a component from a Jsonnet snippet, such as `build(Loss, "{type: 'score'}")`, with
        the shared objects that the model hands down."""
        params = evaluate_jsonnet(snippet)
        extras: Dict[str, Any] = {"num_labels": self.truth.shape[-1]}
        if self.space == "dependencies":  # whose outputs have no last dimension of labels
            extras = {"encoder": self.task_network.encoder} if base is StructuredScore else {}
        component = base.from_params(
            Params({"type": params} if isinstance(params, str) else params),
            vocab=self.vocab,
            output_space=self.output_space,
            oracle_value=self.oracle_value,
            task_network=self.task_network,
            score_network=self.score_network,
            metrics=[self._metric()],
            encoding_size=self.task_network.encoder.output_size,
            **extras,
        )
        if isinstance(component, torch.nn.Module):
            component.to(self.dtype)
        return component

    def _metric(self) -> StructuredMetric:
        if self.space == "dependencies":
            return UnlabelledAttachmentScore(self.vocab)
        return TagAccuracy() if self.space == "categorical" else ExampleF1()

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights and of every y."""
        return next(self.task_network.parameters()).dtype

    def instance(self, number: int) -> Any:
        """The x of one instance, as a batch."""
        if isinstance(self.x, torch.Tensor):
            return self.x[number : number + 1]
        return {"tokens": {"tokens": self.x["tokens"]["tokens"][number : number + 1]}}

    @property
    def truth(self) -> torch.Tensor:
        """The encoded labels, `(batch, 1, *event_shape)`."""
        return self.output_space.encode(self.labels, self.dtype)

    def sample(self, num_samples: int = 3) -> SamplerOutput:
        """Random proposals with everything that a sampler can give."""
        truth = self.truth
        logits = torch.randn(len(truth), num_samples, *truth.shape[2:], dtype=self.dtype)
        y, cost_augmented = (self._normalized(each) for each in (logits, torch.randn_like(logits)))
        return SamplerOutput(
            y=y,
            logits=logits,
            cost_augmented=cost_augmented,
            log_prob=self.output_space.log_prob(logits, y, self.mask),
        )

    def _normalized(self, logits: torch.Tensor) -> torch.Tensor:
        """Return y of logits `(batch, num_samples, *event_shape)` under the mask."""
        mask = self.mask.unsqueeze(1).expand(-1, logits.shape[1], *self.mask.shape[1:])
        return self.output_space.normalize(self.output_space.with_mask(logits, mask))


def make_test_problem(
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    batch_size: int = 3,
    space: str = "binary",
    one_label: bool = False,
) -> TestProblem:
    """Return a problem of sets of labels (`binary`), of sequences of tags (`categorical`), of masks
    of images (`image`) or of closed sets of labels (`tree`, `dag`), whose weights and batch depend
    only on the seed; with a single label, tag or pixel if `one_label`."""
    torch.manual_seed(seed)
    vocab = Vocabulary(non_padded_namespaces=["features", "labels"])
    if space == "dependencies":
        tags = RELATIONS
    else:
        tags = (TAGS if space == "categorical" else LABELS)[: 1 if one_label else None]
    for namespace, tokens in (("features", FEATURES), ("labels", tags), ("tokens", WORDS)):
        for token in tokens:
            vocab.add_token_to_namespace(token, namespace)
    taxonomy = None
    if space in PARENTS:
        taxonomy = Taxonomy(tags, PARENTS[space][: len(tags)])
        for entry in taxonomy.entries():
            vocab.add_token_to_namespace(entry, "taxonomy")
    kind = _KINDS.get(space, space)
    output_space = OutputSpace.from_params(Params({"type": kind}), vocab=vocab)
    encoder = {"encoder": _ENCODERS[space]}
    if space in _PROJECTION:
        encoder["projection"] = _PROJECTION[space]
    task_network = TaskNetwork.from_params(
        Params(copy.deepcopy(encoder)), vocab=vocab, output_space=output_space
    )
    terms = [_STRUCTURED_SCORE[space]] if space in _STRUCTURED_SCORE else []
    score_network = ScoreNetwork.from_params(
        Params(copy.deepcopy({**encoder, "structured_scores": terms})),
        vocab=vocab,
        output_space=output_space,
    )
    width = len(LABELS) if space in ("categorical", "dependencies") else len(tags)
    if space == "dependencies" and one_label:
        width = 1
    mask = torch.ones(batch_size, width, dtype=torch.bool)
    if width > 2:
        mask[-1, -2:] = False
    x: Any = torch.randn(batch_size, len(FEATURES), dtype=dtype)
    labels = torch.rand(batch_size, width) < 0.5
    if taxonomy is not None:
        labels = output_space.complete(labels)
    if space in ("categorical", "dependencies"):
        words = torch.randint(2, 2 + len(WORDS), mask.shape).masked_fill(~mask, 0)
        x = {"tokens": {"tokens": words}}
        labels = torch.randint(len(tags), mask.shape)
    if space == "dependencies":
        # Trees over the tokens that exist; each of the others hangs on the token before it.
        logits = torch.zeros(batch_size, width, (width + 1) * len(tags), dtype=dtype)
        # A projective tree of one root is an output whatever the settings of the space.
        settings = Params({"type": kind, "projective": True})
        drawing = OutputSpace.from_params(settings, vocab=vocab)
        drawn = drawing.sample(drawing.with_mask(logits, mask), 1)[:, 0]
        labels = output_space.decode(drawn)
        labels = torch.where(mask, labels, 1 + torch.arange(width) * len(tags))
    if space == "image":
        size = (1, 1) if one_label else SIZE
        mask = torch.ones(batch_size, *size, dtype=torch.bool)
        if not one_label:
            mask[-1, :, -1] = False
        x = torch.rand(batch_size, 2, *size, dtype=dtype)
        labels = torch.rand(batch_size, *size) < 0.5
    return TestProblem(
        vocab=vocab,
        output_space=output_space,
        oracle_value=PerInstanceF1(output_space),
        task_network=hand_down(task_network.to(dtype)),
        score_network=hand_down(score_network.to(dtype)),
        x=x,
        labels=labels,
        mask=mask,
        space=space,
    )


def data_config(directory: Path, rows: int = 24, batch_size: int = 8) -> Dict[str, Any]:
    """Return the data part of a config, on small files that it writes."""
    return {
        "dataset_reader": {"type": "arff"},
        "train_data_path": str(write_arff(directory, "train", rows, seed=1)),
        "validation_data_path": str(write_arff(directory, "validation", rows // 2, seed=2)),
        "data_loader": {"type": "tensor", "batch_size": batch_size, "shuffle": True},
    }


def merged(base: Dict[str, Any], over: Dict[str, Any]) -> Dict[str, Any]:
    """Return `base` with the values of `over`, dictionary by dictionary."""
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
