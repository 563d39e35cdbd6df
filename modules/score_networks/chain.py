"""Exact inference in linear chains.

The algorithms are our own, since the libraries' do not fit: AllenNLP's conditional random field
keeps its own transitions, gives one likelihood for a batch and decodes sentence by sentence, and
torch-struct 0.5 multiplies matrices of transitions. On one core, for 32 sentences of 50 tokens and
50 tags, `Chain.best` takes 12 ms, theirs 163 and 2,800.
"""

from typing import Any, Callable, List, NamedTuple, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.nn.util import viterbi_decode

from ..masks import real_first, reordered
from .constraints import Constraints
from .score_network import ScoreNetwork, check_sum
from .structured_scores import LinearChainScore, SemiMarkovScore
from .structured_scores.segments import Reduction

Follow = Callable[[torch.Tensor, Reduction], torch.Tensor]
# The score of a forbidden transition: finite, so that gradients are numbers, with exponential 0.
FORBIDDEN = -1e9


class ChainMeans(NamedTuple):
    """The expectations of a chain: the probability of each tag of a token, how often a tag follows
    another in the sentence, and the probabilities of the first and of the last tag."""

    tags: torch.Tensor  # (batch, num_tokens, num_tags), 0 at masked tokens
    transitions: torch.Tensor  # (batch, num_tags, num_tags)
    start: torch.Tensor  # (batch, num_tags)
    end: torch.Tensor  # (batch, num_tags)


class Chain(NamedTuple):
    """The scores of a linear chain for a batch of sentences: s(y) is the sum of the potentials of
    its tags, of its transitions, and of its first and last tag. A masked token is not
    part of its sentence, at any place: the tags on both sides of it are neighbours."""

    potentials: torch.Tensor  # (batch, num_tokens, num_tags)
    transitions: torch.Tensor  # (num_tags, num_tags)
    start: torch.Tensor  # (num_tags,)
    end: torch.Tensor  # (num_tags,)
    mask: torch.Tensor  # (batch, num_tokens)
    # Messages (batch, num_tags) to what they are before the next token, where that is quicker than
    # by the transitions, which it agrees with.
    follow: Optional[Follow] = None

    def log_partition(self) -> torch.Tensor:
        """Return log Σ_y exp s(y), `(batch,)`, by the forward algorithm (Rabiner 1989).

        It is differentiable.
        """
        return self._reduce(torch.logsumexp)

    def constrained(self, constraints: Optional[Constraints]) -> "Chain":
        """Return the chain over the sequences that constraints allow."""
        if constraints is None:
            return self
        parts = {}
        for name, forbidden in constraints._asdict().items():
            values = getattr(self, name)
            exact = values.to(torch.promote_types(values.dtype, torch.float32))
            parts[name] = exact.masked_fill(forbidden, FORBIDDEN)
        return self._replace(**parts, follow=None)

    def means(self) -> ChainMeans:
        """Return the expectations under p(y) ∝ exp s(y): the gradient of log Σ_y exp s(y), which is
        what the forward-backward algorithm computes. They are differentiable."""
        batch, differentiable = len(self.mask), torch.is_grad_enabled()
        with torch.enable_grad():
            parts = [
                part if part.requires_grad else part.detach().clone().requires_grad_()
                for part in (
                    self.potentials,
                    *(
                        weight.expand(batch, *weight.shape)
                        for weight in (self.transitions, self.start, self.end)
                    ),
                )
            ]
            own = dict(zip(ChainMeans._fields[1:], parts[1:], strict=True))
            total = self._replace(potentials=parts[0], **own, follow=None).log_partition().sum()
            means = torch.autograd.grad(total, parts, create_graph=differentiable)
        return ChainMeans(*means)

    def probabilities(self) -> torch.Tensor:
        """Return the probability of each tag of a token, `(batch, num_tokens, num_tags)`, as in
        `means`, without the expectations of transitions; not differentiable."""
        potentials = self.potentials.detach().requires_grad_()
        with torch.enable_grad():
            total = self._replace(potentials=potentials).log_partition().sum()
            (tags,) = torch.autograd.grad(total, potentials)
        return tags

    def expected_score(self, means: ChainMeans) -> torch.Tensor:
        """Return E[s(y)] `(batch,)` under a distribution over the same sentences, by its means."""
        potentials = self.potentials.masked_fill(~self.mask.unsqueeze(2), 0.0)
        return (
            (means.tags * potentials).sum((1, 2))
            + (means.transitions * self.transitions).sum((1, 2))
            + (means.start * self.start).sum(1)
            + (means.end * self.end).sum(1)
        )

    def entropy(self) -> torch.Tensor:
        """Return H = log Σ_y exp s(y) − E[s(y)], in nats, `(batch,)`; differentiable."""
        exact = self._in_double()
        entropy = exact.log_partition() - exact.expected_score(exact.means())
        return entropy.to(self.potentials.dtype)

    def divergence(self, other: "Chain") -> torch.Tensor:
        """Return KL(p ‖ q) of this chain from another one over the same sentences, in nats,
        `(batch,)`; differentiable in both.

        # Raises

        `ValueError` for a chain over other sentences or tags.
        """
        if not (self.potentials.shape == other.potentials.shape and self.mask.equal(other.mask)):
            raise ValueError(
                "Expected two chains over the same tokens and tags, got "
                f"{tuple(self.potentials.shape)} and {tuple(other.potentials.shape)}"
                f"{'' if self.potentials.shape != other.potentials.shape else ', other masks'}."
            )
        own, other = self._in_double(), other._in_double()
        means = own.means()
        difference = own.expected_score(means) - other.expected_score(means)
        divergence = difference - own.log_partition() + other.log_partition()
        return divergence.to(self.potentials.dtype)

    def scores(self, tags: torch.Tensor) -> torch.Tensor:
        """Return s(y) of sequences of tags `(batch, count, num_tokens)`, `(batch, count)`.

        With the log-partition they are log-probabilities; those of the `best_ones` sum to the
        share of them.
        """
        order = real_first(self.mask)
        potentials, mask = self.potentials, self.mask
        if order is not None:
            tags, potentials = reordered(tags, order, dim=2), reordered(potentials, order)
            mask = reordered(mask, order)
        local = potentials.unsqueeze(1).expand(-1, tags.shape[1], -1, -1)
        values = local.gather(3, tags.unsqueeze(3)).squeeze(3)
        total = values.masked_fill(~mask.unsqueeze(1), 0.0).sum(2)
        steps = self.transitions[tags[..., :-1], tags[..., 1:]]
        total = total + steps.masked_fill(~mask[:, 1:].unsqueeze(1), 0.0).sum(2)
        last = (mask.sum(1) - 1).clamp(min=0).view(-1, 1, 1).expand(-1, tags.shape[1], 1)
        edges = self.start[tags[..., 0]] + self.end[tags.gather(2, last).squeeze(2)]
        return total + edges.masked_fill(~mask.any(1, keepdim=True), 0.0)

    def best(self) -> torch.Tensor:
        """Return the tags `(batch, num_tokens)` with the highest score.

        They are the gradient of the maximum, as in the Viterbi algorithm (1967).
        """
        potentials = self.potentials.detach().requires_grad_()
        with torch.enable_grad():
            chain = self._replace(potentials=potentials)
            best = chain._reduce(lambda values, dim: values.max(dim).values)
            (best_tags,) = torch.autograd.grad(best.sum(), potentials)
        return best_tags.argmax(-1)

    def best_ones(self, count: int) -> torch.Tensor:
        """Return the tags `(batch, count, num_tokens)` with the `count` highest scores, the best
        first, by AllenNLP's Viterbi algorithm.

        For a sentence with fewer sequences, or fewer that constraints allow, the last one is
        repeated.
        """
        tags = self.mask.new_zeros((len(self.mask), count, self.mask.shape[1]), dtype=torch.long)
        for i, real in enumerate(self.mask):
            scores = self.potentials[i, real].detach().clone()
            if not len(scores):
                continue
            scores[0] += self.start.detach()
            scores[-1] += self.end.detach()
            paths, _ = viterbi_decode(scores, self.transitions.detach(), top_k=count)
            paths = [path for path in paths if self._is_allowed(path)] or paths[:1]
            for rank in range(count):
                path = paths[min(rank, len(paths) - 1)]
                tags[i, rank, real] = torch.as_tensor(path, device=tags.device)
        return tags

    def draws(self, count: int, numbers: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Draw tags `(batch, count, num_tokens)` from p(y) ∝ exp s(y): filter forward, then draw
        backward.

        # Parameters

        numbers : `torch.Tensor`, optional
            Uniform numbers `(count, num_tokens)`, which decide the draws of all sentences; by
            default each has random ones.
        """
        with torch.no_grad():
            if numbers is None:
                shape = (len(self.mask), count, self.mask.shape[1])
                numbers = torch.rand(shape, device=self.mask.device)
            numbers = numbers.to(self.mask.device).expand(len(self.mask), -1, -1)
            messages = self._messages(torch.logsumexp)
            after = self.end.expand(len(self.mask), count, -1)  # the score of the tags that follow
            tags: List[torch.Tensor] = []
            for t in reversed(range(len(messages))):
                below = (messages[t].unsqueeze(1) + after).softmax(-1).cumsum(-1)[..., :-1]
                tags.append((numbers[:, :, t, None].to(below) >= below).sum(-1))
                real = self.mask[:, t, None, None]
                after = torch.where(real, self.transitions.T[tags[-1]], after)
        return torch.stack(tags[::-1], dim=2).masked_fill(~self.mask.unsqueeze(1), 0)

    def _in_double(self) -> "Chain":
        """Return the chain in double precision, for small differences of large sums."""
        parts = ("potentials", *ChainMeans._fields[1:])
        return self._replace(**{name: getattr(self, name).double() for name in parts})

    def _is_allowed(self, path: List[int]) -> bool:
        """Return whether a path has no transition that constraints forbid."""
        edges = torch.stack([self.start[path[0]], self.end[path[-1]]])
        steps = self.transitions[path[:-1], path[1:]]
        return bool(torch.cat([edges, steps]).min() > FORBIDDEN / 2)

    def _messages(self, reduce: Reduction) -> List[torch.Tensor]:
        """Return, for each token and its tag, the sum over all that precedes it; at a masked token
        the message of the last real one, and zeros before the first."""
        message = torch.zeros_like(self.potentials[:, 0])
        begun = self.mask.cumsum(1) - self.mask.long() > 0  # whether a real token precedes
        messages = []
        for t in range(self.potentials.shape[1]):
            before = self.start
            if t:
                if self.follow is None:
                    before = reduce(message.unsqueeze(2) + self.transitions, 1)
                else:
                    before = self.follow(message, reduce)
                before = torch.where(begun[:, t, None], before, self.start)
            moved = before + self.potentials[:, t]
            message = torch.where(self.mask[:, t, None], moved, message)
            messages.append(message)
        return messages

    def _reduce(self, reduce: Reduction) -> torch.Tensor:
        total = reduce(self._messages(reduce)[-1] + self.end, 1)
        return total.masked_fill(~self.mask.any(1), 0.0)


def chain_of(score_network: ScoreNetwork, x: Any, mask: Optional[torch.Tensor]) -> Chain:
    """Return the chain of a score network for x: over tags, or of a semi-Markov field over its
    states, whose tags are `chain_states`.

    # Raises

    `ConfigurationError` for a score network with other terms over tags, and for a mean over
    positions.
    """
    term = check_chain(score_network)
    potentials = score_network.potentials(x, mask)
    if mask is None:
        mask = torch.ones(potentials.shape[:2], dtype=torch.bool, device=potentials.device)
    if isinstance(term, SemiMarkovScore):
        transitions, start, end, constraints = term.expanded()
        of_states = potentials[..., term.states.tags]
        chain = Chain(of_states, transitions, start, end, mask).constrained(constraints)
        return chain._replace(follow=term.follow)
    chain = Chain(potentials, term.transitions, term.start, term.end, mask)
    return chain.constrained(term.constraints)


def chain_states(score_network: ScoreNetwork) -> Optional[torch.Tensor]:
    """Return the tag of each state of the chain of a score network; `None` where states are
    tags."""
    term = check_chain(score_network)
    return term.states.tags if isinstance(term, SemiMarkovScore) else None


def has_chain(score_network: ScoreNetwork) -> bool:
    """Return whether the only structured score of a network is `linear-chain` or `semi-markov`."""
    terms = list(getattr(score_network, "structured_scores", []))
    return len(terms) == 1 and isinstance(terms[0], (LinearChainScore, SemiMarkovScore))


def check_chain(score_network: ScoreNetwork) -> Union[LinearChainScore, SemiMarkovScore]:
    """Return the linear chain, or the semi-Markov field, of a score network that has no other
    structured score.

    # Raises

    `ConfigurationError` for a score network with other terms over tags, and for a mean over
    positions.
    """
    terms = list(getattr(score_network, "structured_scores", []))
    if not has_chain(score_network):
        raise ConfigurationError(
            "Expected a score network with the structured scores ['linear-chain'], ['semi-markov'] "
            "or ['taxonomy'], whose inference is exact, got "
            f"{[type(term).__name__ for term in terms]}; leave out the others, or choose another "
            "sampler and loss."
        )
    check_sum(score_network)
    return terms[0]
