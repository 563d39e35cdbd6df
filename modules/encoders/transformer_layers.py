"""The hidden states of several layers of a pretrained transformer."""

from typing import List

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import TokenEmbedder

from .wrapped import WrappedEmbedder


class _Concatenation(torch.nn.Module):
    """Take the place of AllenNLP's scalar mix of layers: (h_1 … h_n) -> [h_l for each l]."""

    def __init__(self, layers: List[int]) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, hidden_states: List[torch.Tensor]) -> torch.Tensor:
        return torch.cat([hidden_states[layer - 1] for layer in self.layers], dim=-1)


@TokenEmbedder.register("transformer-layers")
class TransformerLayersEmbedder(WrappedEmbedder):
    """The hidden states of several layers of a pretrained transformer, concatenated: the last layer
    of a network whose weights are constant is not the best one for every task (Peters et al. 2019).

    # Parameters

    embedder : `TokenEmbedder`
        `pretrained_transformer`, `pretrained_transformer_mismatched`, or one around these.
    layers : `List[int]`
        Numbers of layers, from 1, the lowest. An embedding has the size of a layer times their
        number.

    # Raises

    `ConfigurationError` for another embedder, and for layers that the transformer does not have.
    """

    def __init__(self, embedder: TokenEmbedder, layers: List[int]) -> None:
        super().__init__(embedder, "transformer-layers")
        config = self.matched.config
        if not layers or not all(1 <= layer <= config.num_hidden_layers for layer in layers):
            raise ConfigurationError(
                "Expected layers of the embedder 'transformer-layers' from 1 to "
                f"{config.num_hidden_layers}, those of the transformer, got {layers}."
            )
        self.layers = layers
        config.output_hidden_states = True
        self.matched._scalar_mix = _Concatenation(layers)
        self.matched.output_dim = config.hidden_size * len(layers)
