"""Embedders around an embedder of a pretrained transformer."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import TokenEmbedder


class WrappedEmbedder(TokenEmbedder):
    """The base of embedders that change an embedder of a pretrained transformer.

    # Parameters

    embedder : `TokenEmbedder`
        `pretrained_transformer`, `pretrained_transformer_mismatched`, or one around these.
    name : `str`
        The registered name of the subclass, for errors.

    # Raises

    `ConfigurationError` for another embedder.
    """

    def __init__(self, embedder: TokenEmbedder, name: str) -> None:
        super().__init__()
        self.embedder = embedder
        if not hasattr(self.matched, "transformer_model"):
            raise ConfigurationError(
                f"Expected an embedder 'pretrained_transformer' in the embedder '{name}', got "
                f"{type(embedder).__name__}."
            )

    @property
    def matched(self) -> Any:
        """The embedder of word pieces that has the transformer."""
        if isinstance(self.embedder, WrappedEmbedder):
            return self.embedder.matched
        return getattr(self.embedder, "_matched_embedder", self.embedder)

    def get_output_dim(self) -> int:
        return self.embedder.get_output_dim()

    def forward(
        self,
        token_ids: torch.Tensor,
        mask: torch.Tensor,
        type_ids: Optional[torch.Tensor] = None,
        segment_concat_mask: Optional[torch.Tensor] = None,
        offsets: Optional[torch.Tensor] = None,
        wordpiece_mask: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Return the embeddings of the tensors of an indexer; the last two are of a mismatched
        one."""
        tensors = {
            "type_ids": type_ids,
            "segment_concat_mask": segment_concat_mask,
            "offsets": offsets,
            "wordpiece_mask": wordpiece_mask,
        }
        present = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        return self.embedder(token_ids=token_ids, mask=mask, **present)
