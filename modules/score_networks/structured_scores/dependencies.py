"""Terms over the arcs of dependency trees."""

from abc import abstractmethod
from typing import ClassVar, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import pad

from ...output_spaces import DependencyTreeOutputSpace, OutputSpace
from .structured_score import StructuredScore


class PairsOfArcsScore(StructuredScore):
    """The base of second-order terms: sums over pairs of arcs (Wang & Tu 2020, section 3.1), whose
    trilinear weights Σ_d a_d b_d c_d are of three tokens, with a, b and c linear functions of h.

    As a function of the shares of arcs y the sums are quadratic forms, in O(n² D) without a tensor
    of all triples. A learned vector takes the place of h for the root. Relations do not count.

    # Parameters

    size : `int`
        D.

    # Raises

    `ConfigurationError` for another output space than `dependency-tree`, and a size below 1.
    """

    num_roles: ClassVar[int]
    """The number of functions of h."""

    def __init__(self, output_space: OutputSpace, encoding_size: int, size: int = 100) -> None:
        super().__init__()
        self.output_space = check_trees(output_space, type(self).__name__)
        if size < 1:
            raise ConfigurationError(
                f"Expected a size of at least 1 of {type(self).__name__}, got {size}."
            )
        self.root = torch.nn.Parameter(torch.randn(encoding_size) / encoding_size**0.5)
        self.roles = torch.nn.Linear(encoding_size, self.num_roles * size)

    def encode(
        self, x: object, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        """Return the vectors of the root and of the tokens in all roles, `(batch, num_tokens + 1,
        num_roles · D)`."""
        nodes = with_root(self.root, h)
        # Weights of pairs begin at about 1 / √D.
        size = self.roles.out_features // self.num_roles
        return torch.tanh(self.roles(nodes)) / float(size) ** (1 / 3)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        arcs = arcs_of(y, mask, self.output_space, type(self).__name__)
        roles = [part.unsqueeze(1) for part in h.to(arcs.dtype).chunk(self.num_roles, 2)]
        return self.pairs(arcs, roles)

    @abstractmethod
    def pairs(self, arcs: torch.Tensor, roles: List[torch.Tensor]) -> torch.Tensor:
        """Return the sum over pairs of arcs `(batch, num_samples, num_tokens, num_tokens + 1)`,
        given the vectors in each role `(batch, 1, num_tokens + 1, D)`."""


@StructuredScore.register("sibling")
class SiblingScore(PairsOfArcsScore):
    """s(y) = Σ_h Σ_{i < j} y_ih y_jh Σ_d a_hd b_id b_jd: pairs of tokens with the same head."""

    num_roles = 2

    def pairs(self, arcs: torch.Tensor, roles: List[torch.Tensor]) -> torch.Tensor:
        head, token = roles[0], roles[1][:, :, 1:]
        upward = arcs.transpose(2, 3)
        total = (upward @ token).square() - upward.square() @ token.square()
        return (head * total).sum((2, 3)) / 2


@StructuredScore.register("grandparent")
class GrandparentScore(PairsOfArcsScore):
    """s(y) = Σ_g Σ_h Σ_i y_hg y_ih Σ_d a_gd b_hd c_id: tokens i with their head h and its head
    g."""

    num_roles = 3

    def pairs(self, arcs: torch.Tensor, roles: List[torch.Tensor]) -> torch.Tensor:
        above, middle, below = roles[0], roles[1][:, :, 1:], roles[2][:, :, 1:]
        of_head = arcs @ above
        of_tokens = arcs[..., 1:].transpose(2, 3) @ below
        return (middle * of_head * of_tokens).sum((2, 3))


class ArcEmbedding(torch.nn.Module):
    """Embeds the relaxed arc of each token: E r_i + A x_i + B Σ_h y_ih x_h, with the shares r_i of
    its relations, the encodings x of the tokens, and a learned vector x_0 of the root.

    # Parameters

    size : `int`
        The size of an embedding.
    """

    def __init__(
        self, output_space: DependencyTreeOutputSpace, encoding_size: int, size: int
    ) -> None:
        super().__init__()
        self.output_space = output_space
        self.root = torch.nn.Parameter(torch.randn(encoding_size) / encoding_size**0.5)
        self.ends = torch.nn.Linear(encoding_size, 2 * size)
        self.relations = torch.nn.Linear(output_space.num_relations, size, bias=False)

    def encode(self, h: torch.Tensor) -> torch.Tensor:
        """Return A x and B x of the root and of the tokens, `(batch, num_tokens + 1, 2 · size)`."""
        return self.ends(with_root(self.root, h))

    def forward(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], nodes: torch.Tensor
    ) -> torch.Tensor:
        """Return the embeddings `(batch, num_samples, num_tokens, size)`, given the result of
        `encode`."""
        arcs = arcs_of(y, mask, self.output_space, type(self).__name__)
        shares = y.unflatten(3, (-1, self.output_space.num_relations))
        if mask is None:
            relations = shares.sum(3)
        else:
            relations = torch.einsum("bsihr,bih->bsir", shares, real_arcs(mask).to(y.dtype))
        tokens, heads = nodes.to(arcs.dtype).unsqueeze(1).chunk(2, 3)
        return tokens[:, :, 1:] + arcs @ heads + self.relations(relations)


def with_root(root: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """Return the vectors of the root and of the tokens, `(batch, num_tokens + 1, size)`."""
    return torch.cat([root.to(h.dtype).expand(len(h), 1, -1), h], 1)


def check_trees(output_space: OutputSpace, name: str) -> DependencyTreeOutputSpace:
    """Return the output space of dependency trees.

    # Raises

    `ConfigurationError` for another one.
    """
    if not isinstance(output_space, DependencyTreeOutputSpace):
        raise ConfigurationError(
            f"Expected the output space 'dependency-tree' for the structured score {name}, got "
            f"{type(output_space).__name__}."
        )
    return output_space


def arcs_of(
    y: torch.Tensor,
    mask: Optional[torch.Tensor],
    output_space: DependencyTreeOutputSpace,
    name: str,
) -> torch.Tensor:
    """Return the shares of arcs between tokens that exist, `(batch, num_samples, num_tokens,
    num_tokens + 1)`.

    # Raises

    `ValueError` for outputs that are no trees, in the name of a term.
    """
    if y.dim() != 4 or y.shape[3] != (y.shape[2] + 1) * output_space.num_relations:
        raise ValueError(
            "Expected dependency trees, y (batch, num_samples, num_tokens, (num_tokens + 1) · "
            f"{output_space.num_relations}), for the structured score {name}, got "
            f"{tuple(y.shape)}."
        )
    arcs = y.unflatten(3, (-1, output_space.num_relations)).sum(4)
    return arcs if mask is None else arcs.masked_fill(~real_arcs(mask).unsqueeze(1), 0.0)


def real_arcs(mask: torch.Tensor) -> torch.Tensor:
    """Return the arcs between tokens that exist and from the root, bool `(batch, num_tokens,
    num_tokens + 1)`."""
    return mask.unsqueeze(2) & pad(mask, (1, 0), value=True).unsqueeze(1)
