"""The embedder of pretrained transformers, for current versions of transformers."""

import functools
from typing import Any, Optional

from allennlp.modules.token_embedders import PretrainedTransformerEmbedder

_init = PretrainedTransformerEmbedder.__init__


@functools.wraps(_init)
def init_embedder(
    self: Any, model_name: str, *, gradient_checkpointing: Optional[bool] = None, **settings: Any
) -> None:
    """Build the embedder, and switch gradient checkpointing on where it is asked for."""
    _init(self, model_name, gradient_checkpointing=gradient_checkpointing, **settings)
    if gradient_checkpointing:
        model = self.transformer_model
        model.gradient_checkpointing_enable({"use_reentrant": False})
