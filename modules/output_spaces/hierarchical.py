"""Sets of labels that are closed under ancestors in a taxonomy."""

from typing import Any, Dict, List, Literal, Optional, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.nn.functional import logsigmoid

from ..taxonomy import Taxonomy, taxonomy_of_labels
from .binary import BinaryOutputSpace
from .closed_sets import best_closed_set, nearest_isotonic
from .hierarchy import Hierarchy
from .output_space import EDGE, OutputSpace

_LOWEST = -3e4  # of a logit that is no candidate, in any precision


@OutputSpace.register("hierarchical")
class HierarchicalOutputSpace(BinaryOutputSpace):
    """Y = {y ∈ {0, 1}^labels: y_i ≤ y_j for every parent j of i}, sets of labels that are closed
    under ancestors, relaxed to {y ∈ [0, 1]^labels: y_i ≤ y_j}. Every label is a position.

    The logits are those of a label where all its parents are on: y_i = Π_j σ(l_j) over its
    ancestors j and itself. With the distribution p(y) = Π_i p(y_i | its parents), in which a label
    below one that is off is off, y is the mean of p, in trees and in DAGs, draws are exact, and
    log p(y) = Σ_i [y_i l_i + m_i log σ(−l_i)], where m_i says whether all parents of i are on. In a
    tree every relaxed y has logits; in a DAG those that are such products.

    With the coherence `max`, y_i = max_j σ(l_j) over its descendants j and itself (Giunchiglia &
    Lukasiewicz 2020, equation 1), and the loss `cross-entropy` is theirs: a label that is on learns
    from the likeliest of its descendants that are on. The distribution is then that of
    the conditional probabilities y_i / y_parent, at most 1 − 1e-6; in a DAG, of the lowest parent,
    it has the mean y where the term has one parent, and at most y elsewhere.

    >>> taxonomy = Taxonomy.from_paths(["a", "a/b"])
    >>> space = HierarchicalOutputSpace.of(taxonomy)
    >>> space.normalize(torch.zeros(2)).tolist()
    [0.5, 0.25]
    >>> space.project(torch.tensor([0.2, 0.6])).tolist()
    [0.4000000059604645, 0.4000000059604645]
    >>> space.decode(torch.tensor([[0.4, 0.9]])).tolist()
    [[True, True]]

    # Parameters

    taxonomy : `str`, optional
        A file with the taxonomy of the labels: nested JSON, or lines with a path or an edge. By
        default it is that of the data, which readers of hierarchies write to the vocabulary.
    coherence : `"conditional"` or `"max"`
        How logits become probabilities, as above.

    # Raises

    `ConfigurationError` without a taxonomy, and where its terms are not the labels.
    """

    separable = False
    independent = False

    def __init__(
        self,
        vocab: Vocabulary,
        taxonomy: Optional[str] = None,
        coherence: Literal["conditional", "max"] = "conditional",
    ) -> None:
        if coherence not in ("conditional", "max"):
            raise ConfigurationError(
                "Expected the coherence 'conditional' or 'max' in the output space 'hierarchical', "
                f"got '{coherence}'."
            )
        found = taxonomy_of_labels(vocab, taxonomy)
        self.taxonomy = found
        self.coherence = coherence
        self._hierarchy = Hierarchy(found)

    @classmethod
    def of(
        cls, taxonomy: Taxonomy, coherence: Literal["conditional", "max"] = "conditional"
    ) -> "HierarchicalOutputSpace":
        """Return the space of a taxonomy, whose terms are the labels."""
        vocab = Vocabulary(non_padded_namespaces=["labels"])
        for namespace, tokens in (("labels", taxonomy.terms), ("taxonomy", taxonomy.entries())):
            for token in tokens:
                vocab.add_token_to_namespace(token, namespace)
        return cls(vocab, coherence=coherence)

    def hierarchy(self, like: torch.Tensor) -> Hierarchy:
        """Return the edges as tensors, on the device of `like`."""
        if like.shape[-1:] != (len(self.taxonomy),):
            raise ValueError(
                f"Expected {len(self.taxonomy)} labels in the last dimension, one for each term of "
                f"the taxonomy, got the shape {tuple(like.shape)}."
            )
        return self._hierarchy.on(like.device)

    def logits_size(self, position_dims: int, num_labels: int) -> Optional[int]:
        if position_dims:
            raise ConfigurationError(
                "Expected an encoder of one vector for an instance for the output space "
                "'hierarchical', whose outputs are sets of labels, got one of tokens or pixels."
            )
        return num_labels

    def normalize(self, logits: torch.Tensor) -> torch.Tensor:
        hierarchy = self.hierarchy(logits)
        if self.coherence == "max":
            return torch.sigmoid(hierarchy.highest_below(logits))
        if hierarchy.is_tree:
            return hierarchy.product(torch.sigmoid(logits))
        return hierarchy.sum_above(logsigmoid(logits)).exp()

    def conditional_logits(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logits of each label where its parents are on."""
        if self.coherence == "conditional":
            return logits
        log_y = logsigmoid(self.hierarchy(logits).highest_below(logits))
        log_parent = self.hierarchy(logits).lowest_parent(log_y, of_roots=0.0)
        log_share = log_y - log_parent
        share = log_share.exp().clamp(max=1 - EDGE)
        return log_share - torch.log1p(-share)

    def logits_of(self, y: torch.Tensor) -> torch.Tensor:
        low = max(EDGE, torch.finfo(y.dtype).eps)
        if self.coherence == "max":
            return super().logits_of(y)
        return torch.logit(self.hierarchy(y).conditionals(y, low, 1 - low))

    def smooth(self, y: torch.Tensor, amount: float) -> torch.Tensor:
        """Mix `amount` of the uniform distribution into each conditional probability at the edge,
        and keep the others."""
        hierarchy = self.hierarchy(y)
        shares = hierarchy.conditionals(y, max(EDGE, torch.finfo(y.dtype).eps), 1.0)
        smoothed = super().smooth(shares, amount)
        return hierarchy.product(smoothed) if amount else y

    def step_in_logits(self, gradient: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the mean of the gradient over the descendants of each label, under p, where the
        label is on: Σ_d y_d g_d / y_i, the natural gradient."""
        if self.coherence == "max":
            return gradient
        y = self.normalize(logits)
        below = self.hierarchy(y).sum_below(y * gradient)
        return below / y.clamp(min=torch.finfo(y.dtype).tiny)

    def project(self, y: torch.Tensor) -> torch.Tensor:
        """Return the isotonic regression of y, limited to [0, 1]."""
        rows = y.reshape(-1, y.shape[-1])
        spoilt = rows.isnan().any(1, keepdim=True)
        largest = torch.finfo(y.dtype).max / 4
        finite = rows.nan_to_num(0.0).clamp(-largest, largest)
        nearest = nearest_isotonic(finite, self.hierarchy(y)).clamp(0.0, 1.0)
        return nearest.masked_fill(spoilt, torch.nan).view(y.shape)

    def contains(self, y: torch.Tensor, tolerance: float = 1e-5) -> bool:
        above = self.hierarchy(y).lowest_parent(y, of_roots=1.0)
        return super().contains(y, tolerance) and bool((y <= above + tolerance).all())

    def decode(self, y: torch.Tensor) -> torch.Tensor:
        """Return the closed sets nearest to y, feasible or not, exactly: the labels above 0.5 where
        they are closed, otherwise the closed set with the highest Σ_i (y_i − 1/2)."""
        rows = y.reshape(-1, y.shape[-1])
        on = rows > 0.5
        if not self._are_closed(on):
            on = best_closed_set(rows.double() - 0.5, self.hierarchy(y))
        return on.view(y.shape)

    def _are_closed(self, labels: torch.Tensor) -> bool:
        return bool((self.hierarchy(labels).all_above(labels) == labels).all())

    def known(
        self, labels: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
        """Return the labels that are on with all their ancestors, which are known then."""
        labels, mask = super().known(labels, mask)
        if not self._are_closed(labels):
            labels = self.complete(labels)
            mask = None if mask is None else mask | labels
        return labels, mask

    def complete(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the labels with all their ancestors."""
        return self.hierarchy(labels).any_below(labels)

    def complete_measure(self, measure: torch.Tensor) -> torch.Tensor:
        """Return the highest measure among the descendants of each label and itself."""
        return self.hierarchy(measure).highest_below(measure)

    def outputs(self, limit: int = 2**16) -> torch.Tensor:
        """Return all outputs, `(count, num_labels)`.

        # Raises

        `ValueError` where there are more than `limit`.
        """
        sets = torch.from_numpy(self.taxonomy.closed_sets(limit))
        return sets.to(torch.get_default_dtype())

    def details(self, labels: torch.Tensor) -> Dict[str, List[Any]]:
        """Return the `paths` of the most specific labels."""
        specific = labels & ~self._hierarchy.any_child(labels)
        rows = (row.nonzero().flatten().tolist() for row in specific)
        return {"paths": [[self.taxonomy.path(place) for place in places] for places in rows]}

    def sample(
        self, logits: torch.Tensor, num_samples: int, temperature: Optional[float] = None
    ) -> torch.Tensor:
        hierarchy = self.hierarchy(logits)
        draws = super().sample(self.conditional_logits(logits), num_samples, temperature)
        if temperature is not None:
            return hierarchy.product(draws.clamp(min=torch.finfo(draws.dtype).tiny))
        return hierarchy.all_above(draws > 0).to(draws.dtype)

    def draw_at(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        draws = super().draw_at(self.conditional_logits(logits), uniform)
        return self.hierarchy(logits).all_above(draws > 0).to(draws.dtype)

    def random(self, like: torch.Tensor) -> torch.Tensor:
        """Draw relaxed outputs, uniform over the products of conditional probabilities, in a tree
        over all relaxed outputs: y_i / y_parent ~ Beta(the number of descendants and i, 1)."""
        hierarchy = self.hierarchy(like)
        uniform = torch.rand_like(like).clamp(min=torch.finfo(like.dtype).tiny)
        return hierarchy.product(uniform ** (1 / hierarchy.num_below.to(like.dtype)))

    def perturb(self, y: torch.Tensor, rate: Union[float, torch.Tensor]) -> torch.Tensor:
        """Redraw each position of a discrete y uniformly with probability `rate`; a label below one
        that is off is off."""
        redrawn = super().perturb(y, rate)
        return self.hierarchy(y).all_above(redrawn > 0).to(y.dtype)

    def may_move(self, y: torch.Tensor) -> torch.Tensor:
        """Return which labels of a discrete y can change by themselves: those without a child that
        is on, of which all parents are on."""
        hierarchy = self.hierarchy(y)
        on = y > 0.5
        parents = hierarchy.lowest_parent(on.to(torch.uint8), of_roots=1) > 0
        return parents & ~hierarchy.any_child(on)

    def move_changes(
        self, y: torch.Tensor, gradient: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        changes = super().move_changes(y, gradient, mask)
        return changes.masked_fill(~self.may_move(y), -torch.inf)

    def move(self, y: torch.Tensor, index: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        moved, back = super().move(y, index)
        possible = self.may_move(y).gather(2, index.unsqueeze(2))
        return torch.where(possible, moved, y), back

    def neighbours(self, y: torch.Tensor) -> torch.Tensor:
        possible = self.may_move(y).unsqueeze(-1).unsqueeze(-1)
        return torch.where(possible, super().neighbours(y), y[:, None, None])

    def position_log_uniform(self, logits: torch.Tensor) -> torch.Tensor:
        if self.coherence == "max":
            return super().position_log_uniform(logits)
        count = self.hierarchy(logits).num_below.to(logits.dtype)
        return count.log() + count * logsigmoid(logits) + logsigmoid(-logits)

    def position_log_prob(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = self.conditional_logits(logits)
        return self._lowest_parent(y) * logsigmoid(-logits) + y * logits

    def _lowest_parent(self, y: torch.Tensor) -> torch.Tensor:
        on = y > 0.5
        if not y.requires_grad and bool((y == on).all()):  # a byte for each value is quicker
            return self.hierarchy(y).lowest_parent(on.to(torch.uint8), of_roots=1).to(y.dtype)
        return self.hierarchy(y).lowest_parent(y, of_roots=1.0)

    def log_prob(
        self, logits: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        return super().log_prob(self._hidden(logits, mask), y, mask)

    def log_probs(
        self, logits: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        logits = self.zero_padding(self.conditional_logits(self._hidden(logits, mask)), mask)
        off = self.shared_mass(self._lowest_parent(y), logsigmoid(-logits), mask)
        return off + self.shared_mass(y, logits, mask)

    def position_log_likelihood(
        self, logits: torch.Tensor, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return log p(y* | logits) or, with the coherence `max`,
        y*_i log max_j y*_j σ(l_j) + (1 − y*_i) log(1 − max_j σ(l_j)) over descendants j and i."""
        if self.coherence == "conditional":
            return self.position_log_prob(logits, truth)
        logits, is_on = self._hidden(logits, mask), truth > 0.5
        hierarchy = self.hierarchy(logits)
        on = hierarchy.highest_below(logits.masked_fill(~is_on, _LOWEST))
        off = hierarchy.highest_below(logits)
        return torch.where(is_on, logsigmoid(on), logsigmoid(-off))

    def _hidden(self, logits: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return the logits, in which labels outside the mask are not the highest."""
        if mask is None or self.coherence == "conditional":
            return logits
        return logits.masked_fill(~mask.unsqueeze(1), _LOWEST)
