"""The task network."""

from typing import Any, Optional, Tuple

import torch
from allennlp.common import Lazy, Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ..encoded import Encoded
from ..encoders import Encoder
from ..networks import Network
from ..old_configs import refuse_old_form
from ..output_spaces import OutputSpace
from ..projection import Projection, construct_projection
from ..vocabulary import names


class TaskNetwork(Network, Registrable):
    """Compute the logits of y in one forward pass: an encoder and a projection.

    logits = W h + c, with h the encoding of the instance, of each token or of each pixel, and of
    dependency trees a biaffine function of pairs of tokens. See `Projection` for the shapes.

    # Parameters

    encoder : `Encoder`
        x to h.
    projection : `Projection`, optional
        h to logits; by default that of the output space.
    """

    default_implementation = "encoder"

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        encoder: Encoder,
        projection: Optional[Lazy[Projection]] = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.projection: Projection = construct_projection(
            projection, encoder, output_space, len(names(vocab, "labels"))
        )

    @classmethod
    def from_params(cls, params: Params, *constructor: Any, **extras: Any) -> "TaskNetwork":
        """Build the network; the form of earlier versions raises `ConfigurationError`."""
        refuse_old_form(params, "task_network")
        return super().from_params(params, *constructor, **extras)

    @property
    def output_size(self) -> int:
        """The size of the last dimension of the logits: the number of labels or tags.

        # Raises

        `ConfigurationError` where that is a number of tokens or pixels, which differs by input.
        """
        if self.projection.squeezed:
            raise ConfigurationError(
                "Expected logits whose last dimension has a fixed size, got one logit for each "
                f"vector of {type(self.encoder).__name__}; leave out the cost_augmented_network."
            )
        return self.projection.out_features

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the logits and h."""
        h = self.encoder(x, mask)
        return self.projection(h, mask), h

    def forward(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the logits `(batch, *event_shape)` of x, which is an input or an `Encoded`."""
        logits = self.encoding(x, mask)[0]
        assert logits is not None
        return logits

    def hidden(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return h of x; where an `Encoded` holds it, the h of the last forward pass."""
        return self._latest(x, mask)[1]

    def latest_logits(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the logits of x; where an `Encoded` holds them, those of the last forward pass."""
        return self._latest(x, mask)[0]

    def _latest(self, x: Any, mask: Optional[torch.Tensor]) -> Tuple[torch.Tensor, torch.Tensor]:
        encoding = x.latest(self, mask) if isinstance(x, Encoded) else self.encoding(x, mask)
        logits, h = encoding
        assert logits is not None and h is not None
        return logits, h


TaskNetwork.register("encoder")(TaskNetwork)
