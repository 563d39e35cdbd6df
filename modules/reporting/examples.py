"""The hardest examples of a model, in readable form."""

from textwrap import shorten
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from allennlp.data import Batch, Instance
from allennlp.data.fields import MultiLabelField, TextField
from allennlp.nn.util import move_to_device

from ..data import ArcField, ImageField, RowField, TextsField, names
from ..models import StructuredEnergyModel
from .data import RunData
from .diagnosis import Diagnosis
from .inspection import inspecting
from .tree_picture import Tree

FEATURES = 12  # the number of the largest features shown
TEXT = 300  # the number of letters of a text shown


class Label(NamedTuple):
    """A label that is true or predicted."""

    name: str
    true: bool
    predicted: bool
    probability: float


class Tag(NamedTuple):
    """A token with its tags."""

    token: str
    true: str
    predicted: str


class Example(NamedTuple):
    """An instance with its prediction, which is one of `labels`, `tags`, `tree` and `images`.

    # Fields

    place : of the instance in the data, from 0.
    quality : the oracle value of the prediction; without an oracle value, 1 minus its distance from
        the truth.
    truth_score, prediction_score : of models with a score network.
    features : the largest features of a row, by name.
    texts : of an instance with labels.
    images : by title, `(height, width[, 3])` in [0, 1].
    """

    place: int
    quality: float
    truth_score: Optional[float]
    prediction_score: Optional[float]
    features: Optional[List[Tuple[str, float]]] = None
    texts: Optional[List[str]] = None
    labels: Optional[List[Label]] = None
    tags: Optional[List[Tag]] = None
    tree: Optional[Tree] = None
    images: Optional[Dict[str, np.ndarray]] = None


def hardest(
    model: StructuredEnergyModel, data: RunData, diagnosis: Diagnosis, count: int
) -> List[Example]:
    """Return the instances whose predictions have the lowest quality, the lowest first.

    Among equals, the prediction that is scored most above the truth comes first. The diagnosis is
    of the same model and data.
    """
    quality = diagnosis.agreement if diagnosis.oracle_values is None else diagnosis.oracle_values
    assert quality is not None
    truth, predicted = diagnosis.truth_scores, diagnosis.prediction_scores
    scored = truth is not None and predicted is not None
    mistaken = predicted - truth if truth is not None and predicted is not None else quality
    order = np.lexsort((-mistaken if scored else mistaken, quality))[:count]
    return [
        _example(
            model,
            data.instances[data.order[at]],
            Example(
                data.order[at],
                float(quality[at]),
                None if truth is None else float(truth[at]),
                None if predicted is None else float(predicted[at]),
            ),
        )
        for at in order.tolist()
    ]


def truth_picture(labels: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
    """Return the labels of pixels as 0 and 1, and 0.5 where the label is unknown."""
    return labels.float() if mask is None else labels.float().masked_fill(~mask, 0.5)


def _example(model: StructuredEnergyModel, instance: Instance, example: Example) -> Example:
    batch = Batch([instance])
    batch.index_instances(model.vocab)
    with inspecting(model) as device:
        inputs: Dict[str, Any] = move_to_device(batch.as_tensor_dict(), device)
        output = model(x=inputs["x"], mask=inputs.get("mask"))
    probabilities = output["probabilities"][0].cpu()
    readable = model.make_output_human_readable(output)["labels"][0]
    x, truth = instance.fields["x"], instance.fields["labels"]
    if isinstance(x, TextField) and not isinstance(truth, (RowField, MultiLabelField)):
        words = [token.text for token in x.tokens]
        if isinstance(truth, ArcField):
            relations = readable.get("relations", ["_"] * len(words))
            true = list(zip(truth.heads, truth.labels, strict=True))
            predicted = list(zip(readable["heads"], relations, strict=True))
            return example._replace(tree=Tree(words, true, predicted))
        tags = zip(words, truth.labels, readable, strict=True)
        return example._replace(tags=[Tag(*each) for each in tags])
    if isinstance(x, ImageField):
        return example._replace(
            images={
                "input": inputs["x"][0].movedim(0, -1).cpu().numpy(),
                "truth": truth_picture(inputs["labels"], inputs.get("mask"))[0].cpu().numpy(),
                "probability": probabilities.numpy(),
                "prediction": np.asarray(readable, dtype=np.float32),
            }
        )
    example = example._replace(labels=_labels(model, inputs, readable, probabilities))
    if isinstance(x, (TextField, TextsField)):
        texts = list(x.texts.values()) if isinstance(x, TextsField) else [x]
        return example._replace(texts=[_prose(text) for text in texts])
    seen = x.human_readable_repr()
    features = list(seen.items()) if isinstance(seen, dict) else []
    largest = sorted(features, key=lambda pair: -abs(pair[1]))[:FEATURES]
    return example._replace(features=largest)


def _labels(
    model: StructuredEnergyModel,
    inputs: Dict[str, Any],
    predicted: Collection[str],
    probabilities: torch.Tensor,
) -> List[Label]:
    """Return the labels of an instance that are true or predicted, without unknown ones; true are
    those of the output space, which adds the ancestors in a taxonomy."""
    truth, mask = model.output_space.known(inputs["labels"], inputs.get("mask"))
    known = torch.ones_like(truth) if mask is None else mask
    columns = names(model.vocab, "labels"), truth[0].tolist(), known[0].tolist(), probabilities
    return [
        Label(name, bool(true), name in predicted, float(probability))
        for name, true, is_known, probability in zip(*columns, strict=True)
        if is_known and (true or name in predicted)
    ]


def _prose(text: TextField) -> str:
    """Return the words of a text, of pieces of words without their marks."""
    words = " ".join(token.text for token in text.tokens).replace(" ##", "")
    return shorten(words, TEXT, placeholder=" …")
