"""The term over pairs of neighbours in a taxonomy."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError

from ...output_spaces import HierarchicalOutputSpace, OutputSpace
from .structured_score import StructuredScore, label_rows


@StructuredScore.register("taxonomy")
class TaxonomyScore(StructuredScore):
    """s(y) = Σ_e a_e y_p y_c + b_e y_p (1 − y_c) + c_e (1 − y_p)(1 − y_c) over the edges e from a
    parent p to a child c: a potential for each edge and each pair of values that closed sets have.

    In a tree it is a field with exact inference: the sampler `exact` and the loss
    `exact-likelihood` take it. The potentials start at 0.

    # Raises

    `ConfigurationError` in another output space than `hierarchical`.
    """

    above: torch.Tensor
    below: torch.Tensor

    def __init__(self, output_space: OutputSpace) -> None:
        super().__init__()
        if not isinstance(output_space, HierarchicalOutputSpace):
            raise ConfigurationError(
                "Expected the output space 'hierarchical' for the structured score 'taxonomy', got "
                f"{type(output_space).__name__}."
            )
        taxonomy = output_space.taxonomy
        edges = [(p, c) for c, own in enumerate(taxonomy.parents) for p in own]
        ends = torch.tensor(edges, dtype=torch.long).view(-1, 2)
        self.register_buffer("above", ends[:, 0].contiguous(), persistent=False)
        self.register_buffer("below", ends[:, 1].contiguous(), persistent=False)
        self.both = torch.nn.Parameter(torch.zeros(len(edges)))
        self.only_parent = torch.nn.Parameter(torch.zeros(len(edges)))
        self.neither = torch.nn.Parameter(torch.zeros(len(edges)))

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y = label_rows(self, y, mask)
        parent, child = y[..., self.above], y[..., self.below]
        both = parent * child
        pairs = (
            self.both * both
            + self.only_parent * (parent - both)
            + self.neither * (1 - parent - child + both)
        )
        if mask is not None:
            known = mask[:, self.above] & mask[:, self.below]
            pairs = pairs.masked_fill(~known.unsqueeze(1), 0.0)
        return pairs.sum(-1)
