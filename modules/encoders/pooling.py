"""Vectors of whole texts: means, maxima and first vectors of their tokens."""

from typing import List, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2VecEncoder

KINDS = ("mean", "max", "first", "last")


@Seq2VecEncoder.register("pooling")
class PoolingEncoder(Seq2VecEncoder):
    """v(h_1 … h_T): the mean, the maximum, the first or the last vector of the real tokens, or
    several of these one after another.

    # Parameters

    embedding_dim : `int`
        The size of the vectors h_t.
    kinds : `List[str]`
        Any of `mean`, `max`, `first` (such as `[CLS]`) and `last`.

    # Raises

    `ConfigurationError` for no kind, or another one.
    """

    def __init__(self, embedding_dim: int, kinds: Sequence[str] = ("mean", "max")) -> None:
        super().__init__()
        if not kinds or any(kind not in KINDS for kind in kinds):
            raise ConfigurationError(
                f"Expected kinds of the seq2vec_encoder 'pooling' among {list(KINDS)}, got "
                f"{list(kinds)}."
            )
        self.embedding_dim = embedding_dim
        self.kinds = list(kinds)

    def get_input_dim(self) -> int:
        return self.embedding_dim

    def get_output_dim(self) -> int:
        return self.embedding_dim * len(self.kinds)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return `(batch, output size)` of tokens `(batch, length, size)`; a text without a real
        token is 0."""
        real = mask.bool().unsqueeze(-1)
        vectors: List[torch.Tensor] = []
        for kind in self.kinds:
            if kind == "mean":
                count = real.sum(1).clamp(min=1)
                vectors.append(tokens.masked_fill(~real, 0).sum(1) / count)
            elif kind == "max":
                largest = tokens.masked_fill(~real, -torch.inf).amax(1)
                vectors.append(largest.masked_fill(~real.any(1), 0))
            elif kind == "first":
                vectors.append(tokens[:, 0].masked_fill(~real[:, 0], 0))
            else:
                place = (mask.sum(1) - 1).clamp(min=0)
                last = tokens[torch.arange(len(tokens), device=tokens.device), place]
                vectors.append(last.masked_fill(~real.any(1), 0))
        return torch.cat(vectors, dim=-1)
