"""Decoding with the transitions that an encoding of spans allows."""

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
    """The most probable sequence of tags that the encoding allows, given the logits of the
    constituent. For example, `BIO` does not allow I-PER after O. Viterbi's algorithm finds it, with
    transition scores of 0 and −∞.

    # Parameters

    constituent : `Sampler`
        A sampler that returns logits, such as `inference-network`. Each of its samples is decoded.
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"`, `"IOBES"` or `"BIOES"`
        The encoding of spans by tags.

    # Raises

    `ConfigurationError` for an unknown encoding, or for tags that do not belong to it.
    `ValueError` if the constituent returns no logits.
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

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
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
