"""Dependency trees: the head of each token, with its relation."""

from typing import Any, List, Optional, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.nn.functional import log_softmax, one_hot, pad

from .. import dependency_trees as trees
from ..vocabulary import names
from .categorical import CategoricalOutputSpace
from .dependency_arcs import (
    LOW,
    absent_tokens,
    as_absent,
    labels_of,
    moved_trees,
    possible_arcs,
    possible_moves,
)
from .output_space import EDGE, OutputSpace


@OutputSpace.register("dependency-tree")
class DependencyTreeOutputSpace(CategoricalOutputSpace):
    """Y is the set of dependency trees over the tokens of a sentence, relaxed to a simplex for each
    token: y_i,(h, r) is the share of the head h with the relation r.

    The event shape is `(num_tokens, (num_tokens + 1) · R)` with R relations of the vocabulary: head
    by head, the root first, and within a head relation by relation. With the one relation of data
    without relations it is `(num_tokens, num_tokens + 1)`. The arc of a token to itself, which no
    tree has, marks a token that does not exist: y, logits and potentials carry the lengths of their
    sentences, and arcs to tokens that do not exist have no share. A label is 1 + h · R + r, and 0
    where the token does not exist.

    `normalize` is the softmax of each token, and the loss `cross-entropy` selects heads by
    themselves (Zhang et al. 2017). The distribution of draws and of `log_prob` is over trees,
    p(y) ∝ exp ⟨y, logits⟩. Decoding returns the tree with the highest Σ ⟨y, tree⟩, the nearest one.
    Moves change one arc, and lead to trees; with a single root they do not change the root's token.

    >>> space = DependencyTreeOutputSpace(Vocabulary())
    >>> y = torch.tensor([[[0.4, 0.0, 0.6], [0.3, 0.7, 0.0]]])  # each token prefers the other
    >>> space.decode(y).tolist()
    [[1, 2]]

    # Parameters

    single_root : `bool`
        Whether exactly one token has the root as its head, as in Universal Dependencies.
    projective : `bool`
        Whether arcs may not cross.
    """

    independent = False
    kind = "trees"
    projection = "biaffine"

    def __init__(
        self,
        vocab: Vocabulary,
        single_root: bool = True,
        projective: bool = False,
        namespace: str = "labels",
    ) -> None:
        self.num_values = self.num_relations = max(len(names(vocab, namespace)), 1)
        self.single_root = single_root
        self.projective = projective

    def logits_size(self, position_dims: int, num_labels: int) -> Optional[int]:
        if position_dims != 1:
            raise ConfigurationError(
                "Expected an encoder of tokens for the output space 'dependency-tree', whose "
                "outputs have a head for each of them, got another one."
            )
        return None

    def zeros(
        self, h: torch.Tensor, size: Optional[int], mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        batch, n = h.shape[:2]
        return self.with_mask(h.new_zeros(batch, n, (n + 1) * self.num_values), mask)

    def with_mask(self, logits: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return logits if mask is None else as_absent(logits, ~mask, LOW, 0.0)

    def zeros_like(self, logits: torch.Tensor) -> torch.Tensor:
        return as_absent(torch.zeros_like(logits), absent_tokens(logits), LOW, 0.0)

    def possible(self, values: torch.Tensor) -> torch.Tensor:
        """Return the entries that y may have in use, bool, by the marks of y, logits or
        potentials."""
        return possible_arcs(absent_tokens(values), self.num_values)

    def normalize(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.masked_fill(~self.possible(logits), LOW).softmax(-1)

    def means(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the arcs over trees."""
        arcs, exists = self._arcs(logits)
        flat = trees.marginals(arcs.flatten(0, -3), exists.flatten(0, -2), *self._kind)
        of_arcs = flat.view_as(arcs).unsqueeze(-1)
        relations = logits.unflatten(-1, (-1, self.num_values)).softmax(-1)
        return as_absent((of_arcs * relations).flatten(-2).to(logits.dtype), ~exists, 0.0, 1.0)

    def logits_of(self, y: torch.Tensor) -> torch.Tensor:
        return as_absent(y.clamp(min=EDGE).log(), absent_tokens(y), LOW, 0.0)

    def smooth(self, y: torch.Tensor, amount: float) -> torch.Tensor:
        possible = self.possible(y)
        on_edge = y.masked_fill(~possible, 1.0).amin(-1, keepdim=True) < EDGE
        uniform = possible.to(y.dtype)
        uniform = uniform / uniform.sum(-1, keepdim=True)
        return torch.where(on_edge, y + amount * (uniform - y), y)

    def project(self, y: torch.Tensor) -> torch.Tensor:
        """Return the nearest point of the simplex over possible arcs, token by token."""
        return super().project(y.masked_fill(~self.possible(y), torch.finfo(y.dtype).min))

    def contains(self, y: torch.Tensor, tolerance: float = 1e-5) -> bool:
        outside = y.masked_fill(self.possible(y), 0.0)
        return super().contains(y, tolerance) and bool((outside.abs() <= tolerance).all())

    def encode(self, labels: torch.Tensor, dtype: Optional[torch.dtype] = None) -> torch.Tensor:
        """Return labels as y; that of a token that does not exist is its arc to itself."""
        labels = labels.long()
        n = labels.shape[-1]
        itself = (torch.arange(n, device=labels.device) + 1) * self.num_values
        index = torch.where(labels > 0, labels - 1, itself)
        encoded = one_hot(index.unsqueeze(1), (n + 1) * self.num_values)
        return encoded.to(dtype or torch.get_default_dtype())

    def decode(self, y: torch.Tensor) -> torch.Tensor:
        """Return the tree T with the highest ⟨T, y⟩, of y, logits or potentials."""
        exists = ~absent_tokens(y)
        best = y.unflatten(-1, (-1, self.num_values)).max(-1)
        heads = trees.best_heads(best.values, exists, *self._kind)
        relations = best.indices.gather(-1, heads.unsqueeze(-1)).squeeze(-1)
        return (1 + heads * self.num_values + relations).masked_fill(~exists, 0)

    def best_ones(self, y: torch.Tensor, count: int) -> torch.Tensor:
        """Return the labels `(batch, count, num_tokens)` of the trees T with the highest ⟨T, y⟩,
        the best first, of y, logits or potentials `(batch, *event_shape)`; the last one is repeated
        where there are fewer."""
        exists = ~absent_tokens(y)
        best = trees.best_ones(y.unflatten(-1, (-1, self.num_values)), count, exists, *self._kind)
        labels = 1 + best.heads * self.num_values + best.relations
        return labels.masked_fill(~exists.unsqueeze(1), 0)

    def readable(
        self,
        labels: torch.Tensor,
        probabilities: torch.Tensor,
        names: List[str],
        mask: Optional[torch.Tensor] = None,
    ) -> List[Any]:
        """Return the `heads` of the tokens of each sentence, 0 for the root, and where there are
        several relations their `relations`."""
        found = []
        for row in labels:
            places = row[row > 0] - 1
            found.append({"heads": (places // self.num_values).tolist()})
            if self.num_values > 1:
                relations = (places % self.num_values).tolist()
                found[-1]["relations"] = [names[place] for place in relations]
        return found

    def cut(self, values: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        columns = pad(real, (1, 0), value=True).repeat_interleave(self.num_values)
        return values[real][:, columns]

    def sample(
        self, logits: torch.Tensor, num_samples: int, temperature: Optional[float] = None
    ) -> torch.Tensor:
        shape = (-1, num_samples, *logits.shape[1:])
        if temperature is not None:
            noise = torch.empty_like(logits.unsqueeze(1).expand(shape)).exponential_()
            noise = noise.clamp(min=torch.finfo(noise.dtype).tiny).log()
            return self.normalize((logits.unsqueeze(1) - noise) / temperature)
        numbers = torch.rand(len(logits), num_samples, logits.shape[1], device=logits.device)
        arcs, exists = self._arcs(logits)
        if self.projective:
            each, real = (part.repeat_interleave(num_samples, 0) for part in (arcs, exists))
            heads = trees.draw_projective(each, real, self.single_root).unflatten(
                0, (-1, num_samples)
            )
        else:
            heads = trees.draw_trees(arcs, numbers, exists, *self._kind).values
        labels = labels_of(logits, heads, torch.rand_like(numbers), self.num_values)
        return self.encode(labels.flatten(0, 1), logits.dtype).view(*labels.shape, -1)

    def draw_at(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        arcs, exists = self._arcs(logits)
        numbers = uniform.unsqueeze(0).expand(len(logits), *uniform.shape)
        drawn = trees.draw_trees(arcs, numbers, exists, *self._kind)
        labels = labels_of(logits, drawn.values, drawn.rest, self.num_values)
        return self.encode(labels.flatten(0, 1), logits.dtype).view(*labels.shape, -1)

    def random(self, like: torch.Tensor) -> torch.Tensor:
        exponential = torch.empty_like(like).exponential_().clamp(min=torch.finfo(like.dtype).tiny)
        exponential = exponential.masked_fill(~self.possible(like), 0.0)
        return exponential / exponential.sum(-1, keepdim=True)

    def perturb(self, y: torch.Tensor, rate: Union[float, torch.Tensor]) -> torch.Tensor:
        """Redraw the arc of each token of a discrete y with probability `rate`, uniformly over the
        trees with the arcs that stay."""
        redrawn = (torch.rand_like(y[..., :1]) < rate).expand_as(y[..., :1])
        # An arc of a token that stays is as good as the only one.
        logits = torch.where(redrawn | (y > 0.5), 0.0, -1e4).to(y.dtype)
        logits = as_absent(logits, absent_tokens(y), LOW, 0.0)
        drawn = self.sample(logits.flatten(0, 1), 1).view_as(y)
        return torch.where(redrawn, drawn, y)

    def move_changes(
        self, y: torch.Tensor, gradient: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        changes = self.center(gradient, y).masked_fill(~self.may_move(y), -torch.inf)
        if mask is not None:
            changes = changes.masked_fill(~mask.unsqueeze(1).unsqueeze(-1), -torch.inf)
        return changes.flatten(2)

    def confusion(self, truth: torch.Tensor, y: torch.Tensor, mask: Any = None) -> None:
        """Return `None`: the same head is another word in another sentence."""

    def may_move(self, y: torch.Tensor) -> torch.Tensor:
        """Return the arcs that may take the place of that of their token in a discrete y, bool: the
        result is a tree."""
        return possible_moves(y, self.num_values, *self._kind)

    def move(self, y: torch.Tensor, index: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        size = y.shape[-1]
        position = (index // size).unsqueeze(2)
        values = y.argmax(-1)
        back = (position * size + values.gather(2, position)).squeeze(2)
        moved = values.scatter(2, position, (index % size).unsqueeze(2))
        possible = self.may_move(y).flatten(2).gather(2, index.unsqueeze(2)).unsqueeze(3)
        return torch.where(possible, one_hot(moved, size).to(y.dtype), y), back

    def neighbours(self, y: torch.Tensor) -> torch.Tensor:
        return moved_trees(y, self.may_move(y))

    def position_log_uniform(self, logits: torch.Tensor) -> torch.Tensor:
        possible = self.possible(logits)
        logs = self._log_softmax(logits).masked_fill(~possible, 0.0).sum(-1)
        size = possible.sum(-1)
        mean = logits.masked_fill(~possible, 0.0).sum(-1) / size
        return logs - size * mean.square() / 2

    def position_log_prob(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return log p(y_i | logits_i) of each token by itself."""
        return self.position_dot(y, self._log_softmax(logits))

    def position_log_likelihood(
        self, logits: torch.Tensor, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the log-probability of the arc of each token by itself."""
        if mask is not None:
            logits = self.with_mask(logits, mask.unsqueeze(1).expand(logits.shape[:-1]))
        return self.position_log_prob(logits, truth)

    def log_prob(
        self, logits: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return ⟨y, logits⟩ − log Σ_T exp⟨T, logits⟩ over trees T, `(batch, num_samples)`."""
        if mask is not None:
            logits = self.with_mask(logits, mask.unsqueeze(1).expand(logits.shape[:-1]))
        possible = logits.masked_fill(~self.possible(logits), LOW).double()
        score = self.sum_positions(self.position_dot(y.double(), possible), mask)
        return (score - self.log_partition(logits)).to(logits.dtype)

    def log_partition(self, logits: torch.Tensor) -> torch.Tensor:
        """Return log Σ_T exp⟨T, logits⟩ over trees, `(...)`, of logits `(..., *event_shape)`, in
        double precision; differentiable."""
        arcs, exists = self._arcs(logits)
        total = trees.log_partition(arcs.flatten(0, -3), exists.flatten(0, -2), *self._kind)
        return total.view(logits.shape[:-2])

    def label_mass(
        self, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Optional[torch.Tensor]:
        """Return the mass of each relation, at most 1 at a token."""
        relations = y.unflatten(-1, (-1, self.num_values)).sum(-2).clamp(max=1.0)
        return super().label_mass(relations, mask)

    def position_weight(self, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return the weight of the relation of each token."""
        return super().position_weight(y.unflatten(-1, (-1, self.num_values)).sum(-2), weights)

    @property
    def _kind(self) -> Tuple[bool, bool]:
        return self.single_root, self.projective

    def _log_softmax(self, logits: torch.Tensor) -> torch.Tensor:
        return log_softmax(logits.masked_fill(~self.possible(logits), LOW), -1)

    def _arcs(self, logits: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of arcs, summed over relations, and the tokens that exist."""
        exists = ~absent_tokens(logits)
        return logits.unflatten(-1, (-1, self.num_values)).logsumexp(-1), exists
