"""Decoding by the transitions that an encoding of spans allows."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules.conditional_random_field import allowed_transitions

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import Chain
from ..span_encodings import ENCODINGS, Encoding, as_bioul, base_encoding, is_tag_of
from ..vocabulary import names
from .sampler import Sampler


@Sampler.register("constrained")
class ConstrainedSampler(Sampler):
    """The most probable sequence of tags, by the logits of its constituent, among those that the
    encoding allows: in `BIO` no I-PER after O (by Viterbi's algorithm, with scores 0 and −∞ of
    transitions).

    # Parameters

    constituent : `Sampler`
        Gives logits, such as `inference-network`; each of its samples is decoded.
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"`, `"IOBES"` or `"BIOES"`
        How the tags write spans.

    # Raises

    `ConfigurationError` for another encoding, or tags that are not of it.
    `ValueError` where the constituent gives no logits.
    """

    _transitions: torch.Tensor
    _start: torch.Tensor
    _end: torch.Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        constituent: Sampler,
        encoding: Encoding = "BIO",
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if encoding not in ENCODINGS:
            raise ConfigurationError(
                "Expected the encoding of the sampler 'constrained' to be one of "
                f"{list(ENCODINGS)}, got '{encoding}'."
            )
        tags = names(vocab, "labels")
        for tag in tags:
            if not is_tag_of(encoding, tag):
                raise ConfigurationError(
                    f"Expected tags of the encoding {encoding}, such as 'O' and 'B-PER', for the "
                    f"sampler 'constrained', got '{tag}'."
                )
        size = len(tags)
        places = dict(enumerate(map(as_bioul, tags)))
        scores = torch.full((size + 2, size + 2), -torch.inf)
        for before, after in allowed_transitions(base_encoding(encoding), places):
            scores[before, after] = 0.0
        self.register_buffer("_transitions", scores[:size, :size], persistent=False)
        self.register_buffer("_start", scores[size, :size], persistent=False)
        self.register_buffer("_end", scores[:size, size + 1], persistent=False)
        self.constituent = constituent
        self.adopt(constituent, "constituent")

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        sample = self.constituent.sample(x, truth, mask)
        if sample.logits is None:
            raise ValueError(
                "Expected a constituent that gives logits for the sampler 'constrained', got "
                f"{type(self.constituent).__name__}; use 'inference-network'."
            )
        rows = sample.logits.detach().flatten(0, 1)
        real = torch.ones(rows.shape[:2], dtype=torch.bool, device=rows.device)
        if mask is not None:
            real = mask.repeat_interleave(sample.logits.shape[1], dim=0)
        self.check_scores(rows[real])
        chain = Chain(
            rows,
            transitions=self._transitions.to(rows.dtype),
            start=self._start.to(rows.dtype),
            end=self._end.to(rows.dtype),
            mask=real,
        )
        tags = chain.best()
        y = self.output_space.encode(tags, rows.dtype).view_as(sample.logits)
        return sample._replace(y=y)
