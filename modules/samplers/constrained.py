"""Decoding with the transitions that are allowed, and with roles that are unique."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import Chain, ChainInference, Constraints, best_with_unique, constraints_of
from ..span_encodings import Encoding, opening_tags
from ..vocabulary import names
from .exact import ExactSampler
from .sampler import Sampler


@Sampler.register("constrained")
class ConstrainedSampler(Sampler):
    """The most probable sequence of tags that the constraints allow, given the logits of the
    constituent. For example, `BIO` does not allow I-PER after O. Viterbi's algorithm finds it, with
    transition scores of 0 and −10⁹.

    Over `exact`, the outputs, draws or means are those of the linear chain over the allowed
    sequences.

    # Parameters

    constituent : `Sampler`
        `exact`, or a sampler that returns logits, such as `inference-network`, each of whose
        samples is decoded.
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"`, `"IOBES"` or `"BIOES"`, optional
        The encoding of spans by tags; `null` for tags that are none.
    allowed : `Dict[str, List[str]]`, optional
        For a tag those that may follow it, as in the structured score `linear-chain`.
    unique : `List[str]`, optional
        The labels that begin at most once in a sentence, such as the core roles of a predicate:
        spans with these labels, or without an encoding tokens with these tags.

    # Raises

    `ConfigurationError` for an unknown encoding, for tags that do not belong to it, for names that
    are no tags, for nothing to constrain, and for a constituent with a loss or without logits.
    `ValueError` if a constituent of your own returns none.
    """

    _opens: Optional[torch.Tensor]

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        constituent: Sampler,
        encoding: Optional[Encoding] = "BIO",
        allowed: Optional[Dict[str, List[str]]] = None,
        unique: Optional[List[str]] = None,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        constraints = constraints_of(vocab, encoding, allowed, "the sampler 'constrained'")
        if constraints is None and not unique:
            raise ConfigurationError(
                "Expected an 'encoding', 'allowed' or 'unique' in the sampler 'constrained', got "
                "none of them."
            )
        if constituent.has_logits is False and not _is_of_chain(constituent):
            raise ConfigurationError(
                "Expected a constituent that returns logits for the sampler 'constrained', got "
                f"{type(constituent).__name__}; use 'inference-network', or 'exact' of a linear "
                "chain."
            )
        self.is_constrained = constraints is not None
        for name in Constraints._fields:
            value = None if constraints is None else getattr(constraints, name)
            self.register_buffer(f"_forbidden_{name}", value, persistent=False)
        opens = opening_tags(names(vocab, "labels"), encoding, unique) if unique else None
        self.register_buffer("_opens", opens, persistent=False)
        if (
            unique
            and isinstance(constituent, ExactSampler)
            and (constituent.kind, constituent.num_samples) != ("best", 1)
        ):
            raise ConfigurationError(
                "Expected 'exact' with the kind 'best' and num_samples 1 below the sampler "
                f"'constrained' with 'unique', got '{constituent.kind}' and "
                f"{constituent.num_samples}."
            )
        self.constituent = constituent
        self.adopt_constituent(constituent, "constituent")

    @property
    def constraints(self) -> Optional[Constraints]:
        """The transitions that are not allowed."""
        if not self.is_constrained:
            return None
        return Constraints(*(getattr(self, f"_forbidden_{name}") for name in Constraints._fields))

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        if isinstance(self.constituent, ExactSampler):
            return self.constituent.propose_within(self.constraints, self._opens, x, mask)
        sample = self.constituent.sample(x, truth, mask)
        if sample.logits is None:
            raise ValueError(
                "Expected a constituent that returns logits for the sampler 'constrained', got "
                f"{type(self.constituent).__name__}; use 'inference-network'."
            )
        rows = sample.logits.detach().flatten(0, 1)
        real = torch.ones(rows.shape[:2], dtype=torch.bool, device=rows.device)
        if mask is not None:
            real = mask.repeat_interleave(sample.logits.shape[1], dim=0)
        self.check_scores(rows[real])
        size = rows.shape[-1]
        free = Chain(
            rows, rows.new_zeros(size, size), rows.new_zeros(size), rows.new_zeros(size), real
        )
        chain = free.constrained(self.constraints)
        tags = chain.best() if self._opens is None else best_with_unique(chain, self._opens)
        y = self.output_space.encode(tags, rows.dtype).view_as(sample.logits)
        return sample._replace(y=y, log_prob=None)  # that of the proposal before


def _is_of_chain(sampler: Sampler) -> bool:
    return isinstance(sampler, ExactSampler) and isinstance(sampler.inference, ChainInference)
