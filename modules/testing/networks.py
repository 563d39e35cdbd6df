"""A score network to which tests add terms."""

from typing import Any, Optional

import torch

from ..encoded import Encoding
from ..networks import Network
from ..output_spaces import OutputSpace
from ..score_networks import ScoreNetwork


class PotentialsNetwork(ScoreNetwork):
    """s(x, y) = ⟨x, y⟩: x are the potentials. A subclass adds terms in `score`.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> network = PotentialsNetwork(BinaryOutputSpace())
    >>> network(torch.tensor([[1.0, 2.0]]), torch.tensor([[[1.0, 1.0], [0.0, 1.0]]])).tolist()
    [[3.0, 2.0]]
    """

    def __init__(self, output_space: OutputSpace) -> None:
        Network.__init__(self)
        self.output_space = output_space
        self.positions = "sum"
        self.structured_scores = torch.nn.ModuleList()
        self.local_term = True

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> Encoding:
        return (x,)
