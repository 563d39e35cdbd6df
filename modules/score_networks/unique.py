"""The best sequence in which each kind of tag begins at most once."""

from typing import Set

import torch

from .chain import Chain
from .structured_scores.segments import Reduction


def best_with_unique(chain: Chain, opens: torch.Tensor) -> torch.Tensor:
    """Return the tags `(batch, num_tokens)` with the highest score among the sequences in which
    each kind is begun at most once.

    Kinds are constrained when the best sequence repeats them, until it repeats none (cutting
    planes): the result is the best of all, and most sentences take one pass. A constrained chain
    has the tags (S, j), with the set S of the kinds that were begun, tag j included.

    # Parameters

    opens : `torch.Tensor`
        The tags that begin each kind, bool `(num_kinds, num_tags)`; a tag begins one at most.
    """
    best = chain.best()
    for row, real in enumerate(chain.mask):
        kinds: Set[int] = set()
        while True:
            begun = opens[:, best[row, real]].sum(1)
            repeated = set((begun > 1).nonzero()[:, 0].tolist())
            if not repeated:
                break
            kinds |= repeated
            own = chain._replace(potentials=chain.potentials[[row]], mask=chain.mask[[row]])
            best[row] = _with_sets(own, opens[sorted(kinds)]).best()[0] % opens.shape[1]
    return best


def _with_sets(chain: Chain, opens: torch.Tensor) -> Chain:
    """Return the chain over the tags (S, j), S · num_tags + j, in which no kind is begun twice. It
    has only `follow`, since its transitions are (2^num_kinds · num_tags)² numbers."""
    count, size = opens.shape
    bits = 2 ** torch.arange(count, device=opens.device)
    own = (opens * bits.unsqueeze(1)).sum(0)  # the bit of the kind that each tag begins, or 0
    sets = torch.arange(2**count, device=opens.device).unsqueeze(1)
    has_own = sets & own == own
    before = torch.where(has_own, sets - own, 0)  # the set before a tag

    def follow(message: torch.Tensor, reduce: Reduction) -> torch.Tensor:
        rows = message.view(-1, size)
        if chain.follow is None:
            moved = reduce(rows.unsqueeze(2) + chain.transitions, 1)
        else:
            moved = chain.follow(rows, reduce)
        moved = moved.view(len(message), len(sets), size)
        moved = moved.gather(1, before.expand(len(message), -1, -1))
        return moved.masked_fill(~has_own, -torch.inf).flatten(1)

    return chain._replace(
        potentials=chain.potentials.repeat(1, 1, len(sets)),
        start=chain.start.where(own == sets, -torch.inf).flatten(),
        end=chain.end.repeat(len(sets)),
        follow=follow,
    )
