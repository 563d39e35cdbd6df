"""The semi-Markov term: segments with their lengths."""

from typing import Callable, NamedTuple, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ...span_encodings import check_tags
from ...vocabulary import names
from ..constraints import Constraints
from .chains import FORBIDDEN, chain_scores, real_tokens
from .structured_score import StructuredScore

Reduction = Callable[[torch.Tensor, int], torch.Tensor]


class States(NamedTuple):
    """The states of a chain that counts the tokens of a segment, `(num_states,)`: the label, the
    number of tokens so far, and the tag of each."""

    labels: torch.Tensor
    lengths: torch.Tensor
    tags: torch.Tensor


@StructuredScore.register("semi-markov")
class SemiMarkovScore(StructuredScore):
    """s(y) = a_{c_1} + Σ_{j ≥ 2} T_{c_{j−1} c_j} + b_{c_J} + Σ_j g_{c_j}(ℓ_j), for the segments of
    y with the labels c_j and the lengths ℓ_j: with the local term, a semi-Markov conditional random
    field (Sarawagi & Cohen 2004).

    Segments are the spans of tags in BIO, and each O is one of length 1, without g. For relaxed y
    a segment counts by the product of its tags. Ill-formed tags and segments of more than
    `max_length` tokens have the constant score −10⁴, and no probability in exact inference.

    Inference is that of a linear chain whose states are pairs of a label and the number of tokens
    so far, so `exact` and `exact-likelihood` serve. `exact-likelihood` refuses a longer true
    segment in training; in evaluation its loss there is about 10⁴, and the metrics count an error.

    # Parameters

    max_length : `int`
        The largest number of tokens of a segment.

    # Raises

    `ConfigurationError` for tags that are not BIO, and a max_length below 1.
    """

    _labels: torch.Tensor
    _inside: torch.Tensor

    def __init__(self, vocab: Vocabulary, max_length: int = 8) -> None:
        super().__init__()
        if max_length < 1:
            raise ConfigurationError(
                f"Expected a max_length of at least 1 of 'semi-markov', got {max_length}."
            )
        tags = names(vocab, "labels")
        check_tags(tags, "BIO", "the score 'semi-markov'")
        self.max_length = max_length
        labels = ["O", *sorted({tag[2:] for tag in tags if tag != "O"})]
        count = len(labels)
        of_tags = torch.tensor([labels.index(tag[2:] or "O") for tag in tags])
        self.register_buffer("_labels", of_tags, persistent=False)
        inside = torch.tensor([tag[0] == "I" for tag in tags])
        self.register_buffer("_inside", inside, persistent=False)
        states = [
            (label, length, tags.index(tag))
            for label, name in enumerate(labels)
            for length in range(1, 2 if name == "O" else max_length + 1)
            for tag in [name if name == "O" else f"{'I' if length > 1 else 'B'}-{name}"]
            if tag in tags
        ]
        for field, values in zip(States._fields, zip(*states, strict=True), strict=True):
            self.register_buffer(f"_state_{field}", torch.tensor(values), persistent=False)
        self.transitions = torch.nn.Parameter(torch.empty(count, count))
        self.start = torch.nn.Parameter(torch.empty(count))
        self.end = torch.nn.Parameter(torch.empty(count))
        self.lengths = torch.nn.Parameter(torch.empty(count - 1, max_length))
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, std=0.1)

    @property
    def states(self) -> States:
        """The states of the chain."""
        return States(*(getattr(self, f"_state_{field}") for field in States._fields))

    def expanded(self) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor, Constraints]:
        """Return the transitions, the scores of the first and of the last state of the chain of
        states, and its constraints: a segment grows by one token, or ends before another one."""
        labels, lengths, _ = self.states
        ended, begins = self._ended(), lengths == 1
        grows = (labels.unsqueeze(1) == labels) & (lengths.unsqueeze(1) + 1 == lengths)
        between = self.transitions[labels][:, labels] + ended.unsqueeze(1)
        transitions = between.masked_fill(grows, 0.0)
        constraints = Constraints(~(begins | grows), ~begins, torch.zeros_like(begins))
        return transitions, self.start[labels], self.end[labels] + ended, constraints

    def follow(self, message: torch.Tensor, reduce: Reduction) -> torch.Tensor:
        """Return the messages of the states of a token, `(batch, num_states)`, as they are before
        the next one. The states of a label are reduced before the transitions between labels, in
        |labels|² + |states| steps in place of |states|²."""
        labels, lengths, _ = self.states
        lowest = torch.finfo(message.dtype).min / 2
        ended = message.new_full((len(message), len(self.start), self.max_length), lowest)
        ended[:, labels, lengths - 1] = message + self._ended()
        begun = reduce(reduce(ended, 2).unsqueeze(2) + self.transitions, 1)
        grown = message.roll(1, 1).masked_fill(labels != labels.roll(1), lowest)
        return torch.where(lengths == 1, begun[:, labels], grown)

    def _ended(self) -> torch.Tensor:
        """Return the score of the length of a segment that ends in each state."""
        labels, lengths, _ = self.states
        return torch.nn.functional.pad(self.lengths, (0, 0, 1, 0))[labels, lengths - 1]

    def check_allowed(self, y: torch.Tensor, mask: Optional[torch.Tensor]) -> None:
        """Raise `ValueError` where true tags y are ill-formed, or in training a segment is too
        long; in evaluation such a segment has the constant score."""
        score = self.score(y, mask, None) if self.training else self._of_pairs(y, mask)
        if (score < FORBIDDEN / 2).any():
            raise ValueError(
                "Expected true tags in BIO with segments of at most "
                f"{self.max_length} tokens for the score 'semi-markov', got others; set 'encoding' "
                "of the reader, or raise 'max_length' ('max_segment_length' in the table of a data "
                "set)."
            )

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        score = self._of_pairs(y, mask)
        y, _ = real_tokens(y, mask)
        count = len(self.lengths)
        is_label = self._labels.unsqueeze(1) == torch.arange(1, count + 1, device=y.device)
        # (batch, num_samples, num_tokens, num_labels): the masses of tags B and I.
        segment = y @ (is_label & ~self._inside.unsqueeze(1)).to(y.dtype)
        inside = y @ (is_label & self._inside.unsqueeze(1)).to(y.dtype)
        for length in range(1, self.max_length + 1):
            after = torch.nn.functional.pad(inside[:, :, length:], (0, 0, 0, length))
            after = after[:, :, : inside.shape[2]]
            score = score + (segment * (1 - after) * self.lengths[:, length - 1]).sum((2, 3))
            segment = segment * after
        return score + FORBIDDEN * segment.sum((2, 3))

    def _of_pairs(self, y: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return the scores of pairs of tags, and of the first and the last tag."""
        labels, inside = self._labels, self._inside
        same = (labels.unsqueeze(1) == labels) & (labels > 0)
        transitions = self.transitions[labels][:, labels]
        transitions = transitions.masked_fill(inside & same, 0.0)
        transitions = transitions.masked_fill(inside & ~same, FORBIDDEN)
        start = self.start[labels].masked_fill(inside, FORBIDDEN)
        return chain_scores(y, mask, transitions, start, self.end[labels])
