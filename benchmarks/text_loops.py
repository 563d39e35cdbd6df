"""The loop that `benchmarks.text_speed` measures against: transformers and PyTorch only.

The same tokens, pooling, layers, batch size and optimiser as the config. The encodings of a frozen
transformer are computed once, texts of like length together, and stay in one tensor on the device.
"""

import csv
import functools
from typing import Any, Dict, List, NamedTuple, Sequence

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel, AutoTokenizer

from benchmarks.loops import Loop, network
from structured_energy.encoders import StandardizedEncoder, TransformerLayersEmbedder
from structured_energy.package_files import package_path

NOISE = 0.1
"""By how much a length may differ from its own where texts of like length are put together."""


class Documents(NamedTuple):
    """The pieces of each text, with the special ones, and the labels `(documents, labels)`."""

    pieces: List[torch.Tensor]
    labels: torch.Tensor


@functools.lru_cache(maxsize=None)
def tokenizer_of(transformer: str) -> Any:
    """Return the tokenizer of a transformer, which is loaded once, as by the framework."""
    return AutoTokenizer.from_pretrained(package_path(transformer))


def read_documents(file: str, labels_file: str, transformer: str, max_length: int) -> Documents:
    """Return the documents of a file of lines `text⇥labels⇥id`, in which labels are numbers with
    commas between them."""
    with open(file, encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))
    tokenizer = tokenizer_of(transformer)
    texts = [row[0].strip() for row in rows]
    pieces = tokenizer(texts, truncation=True, max_length=max_length)["input_ids"]
    with open(labels_file, encoding="utf-8") as names:
        labels = torch.zeros(len(rows), sum(1 for _ in names))
    for place, row in enumerate(rows):
        labels[place, [int(label) for label in row[1].split(",") if label]] = 1
    return Documents([torch.tensor(each) for each in pieces], labels)


class TextLoop:
    """A transformer and the layers after it, trained by cross-entropy.

    # Parameters

    task_network : `torch.nn.Module`
        The task network of the framework, whose initial weights the layers take.
    config : `Dict[str, Any]`
        The config of its training.
    is_frozen : `bool`
        Whether only the layers are trained.
    """

    def __init__(
        self,
        task_network: torch.nn.Module,
        config: Dict[str, Any],
        documents: Documents,
        is_frozen: bool,
        device: torch.device,
    ) -> None:
        tokenizer = config["dataset_reader"]["tokenizer"]
        self.transformer = AutoModel.from_pretrained(package_path(tokenizer["model_name"]))
        self.transformer.to(device).train(not is_frozen)
        self.layers, dropout = [-1], 0.0
        for part in task_network.modules():
            if isinstance(part, TransformerLayersEmbedder):
                self.layers = part.layers
            if isinstance(part, StandardizedEncoder):
                dropout = part.dropout.p
        self.head = torch.nn.Sequential(torch.nn.Dropout(dropout), *network(task_network))
        theirs = [*task_network.encoder.feedforward.parameters()]
        theirs += task_network.projection.parameters()
        for own, initial in zip(self.head.parameters(), theirs, strict=True):
            own.data.copy_(initial.data)
        self.head.to(device)
        self.device = device
        self.is_frozen = is_frozen
        self.batch_size = (
            config["data_loader"].get("batch_size")
            or (config["data_loader"]["batch_sampler"]["batch_size"])
        )
        self.pieces = documents.pieces
        self.y = documents.labels.to(device)
        self.lengths = torch.tensor([len(each) for each in documents.pieces])
        self.h: Sequence[torch.Tensor] = ()
        settings = dict(config["trainer"]["optimizer"])
        groups = settings.pop("parameter_groups", [[["transformer_model"], {}]])
        parts: List[Dict[str, Any]] = [{"params": [*self.head.parameters()]}]
        if not is_frozen:
            parts.append({"params": [*self.transformer.parameters()], **groups[0][1]})
        settings.pop("type")
        self.optimizer = torch.optim.AdamW(parts, fused=True, **settings)

    def train_epoch(self) -> None:
        """Take a step on each batch of a pass over the documents."""
        for rows in self.batches():
            self.train_batch(rows)

    def batches(self) -> Sequence[torch.Tensor]:
        """Return the documents of each batch: in any order where the transformer is frozen, and
        texts of like length together where it is trained."""
        if self.is_frozen:
            return torch.randperm(len(self.pieces)).split(self.batch_size)
        noise = 1 + NOISE * (2 * torch.rand(len(self.pieces)) - 1)
        batches = (self.lengths * noise).argsort().split(self.batch_size)
        return [batches[place] for place in torch.randperm(len(batches)).tolist()]

    def train_batch(self, rows: torch.Tensor) -> torch.Tensor:
        """Take a step on the documents `rows`, and return the loss before it."""
        h = self.encodings()[rows.to(self.device)] if self.is_frozen else self.encode(rows)
        loss = Loop.cross_entropy(self.head(h), self.y[rows.to(self.device)])
        Loop.step(self.optimizer, loss)
        return loss

    def encodings(self) -> torch.Tensor:
        """Return the standardised vectors of all documents, computed at the first call."""
        if not len(self.h):
            order = self.lengths.argsort()
            with torch.no_grad():
                h = torch.cat([self.encode(rows) for rows in order.split(self.batch_size)])
            h = (h - h.mean(0)) / h.std(0, correction=0).clamp(min=1e-6)
            self.h = h[order.argsort().to(self.device)]
        return self.h  # type: ignore[return-value]

    def encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the means and the maxima of the vectors of the pieces of the documents `rows`."""
        pieces = pad_sequence([self.pieces[row] for row in rows.tolist()], batch_first=True)
        mask = (torch.arange(pieces.shape[1]) < self.lengths[rows][:, None]).to(self.device)
        vectors = self.transformer(
            pieces.to(self.device), attention_mask=mask.long(), output_hidden_states=True
        )
        real = mask[..., None]
        tokens = torch.cat([vectors.hidden_states[layer] for layer in self.layers], -1)
        mean = tokens.masked_fill(~real, 0).sum(1) / real.sum(1)
        return torch.cat([mean, tokens.masked_fill(~real, -torch.inf).amax(1)], -1)
