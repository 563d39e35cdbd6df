"""The transitions between tags that a constraint allows."""

from typing import Dict, List, NamedTuple, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules.conditional_random_field import allowed_transitions

from ..span_encodings import Encoding, as_bioul, base_encoding, check_tags
from ..vocabulary import names

START, END = "START", "END"
Followers = Dict[str, List[str]]


class Constraints(NamedTuple):
    """The forbidden transitions, bool: from tag to tag, to the first tag, and from the last tag."""

    transitions: torch.Tensor  # (num_tags, num_tags)
    start: torch.Tensor  # (num_tags,)
    end: torch.Tensor  # (num_tags,)

    def of_states(self, tags: torch.Tensor) -> "Constraints":
        """Return the constraints of states with these tags `(num_states,)`."""
        return Constraints(self.transitions[tags][:, tags], self.start[tags], self.end[tags])

    def violations(self, tags: List[int]) -> List[int]:
        """Return the places of tags that may not stand there, and the number of tags where the last
        one may not be the last."""
        if not tags:
            return []
        places = [0] if self.start[tags[0]] else []
        places += [t for t in range(1, len(tags)) if self.transitions[tags[t - 1], tags[t]]]
        return places + ([len(tags)] if self.end[tags[-1]] else [])


def constraints_of(
    vocab: Vocabulary, encoding: Optional[Encoding], allowed: Optional[Followers], component: str
) -> Optional[Constraints]:
    """Return the constraints of an encoding of spans and of a table of followers; both hold. `None`
    without any.

    # Parameters

    allowed : `Dict[str, List[str]]`
        For a tag those that may follow it; a tag that is not named may be followed by each. `START`
        has the first tags, and `END` among the followers allows a tag at the end.
    component : `str`
        The component, for messages.

    # Raises

    `ConfigurationError` for an unknown encoding, for tags that do not belong to it, for a name that
    is no tag, and where no sequence is allowed.
    """
    if encoding is None and allowed is None:
        return None
    tags = names(vocab, "labels")
    size = len(tags)
    forbidden = torch.zeros(size + 1, size + 1, dtype=torch.bool)  # START before, END after all
    if encoding is not None:
        forbidden |= ~_of_encoding(tags, encoding, component)
    if allowed is not None:
        forbidden |= _of_table(tags, allowed, component)
    constraints = Constraints(
        forbidden[:size, :size], forbidden[size, :size], forbidden[:size, size]
    )
    if not _allow_a_sequence(constraints):
        raise ConfigurationError(
            f"Expected constraints of {component} that allow a sequence of tags, got none that may "
            "be the first one and lead to one that may be the last one; in 'allowed', START has "
            "the first tags, and END is among the followers of the last ones."
        )
    return constraints


def _of_encoding(tags: List[str], encoding: str, component: str) -> torch.Tensor:
    """Return what an encoding allows, bool `(num_tags + 1, num_tags + 1)`."""
    check_tags(tags, encoding, component)
    size = len(tags)
    result = torch.zeros(size + 2, size + 2, dtype=torch.bool)
    places = dict(enumerate(map(as_bioul, tags)))
    for before, after in allowed_transitions(base_encoding(encoding), places):
        result[before, after] = True
    ends = torch.arange(size + 2) != size
    return result[:-1][:, ends]  # AllenNLP's START is the last but one, its END the last


def _of_table(tags: List[str], allowed: Followers, component: str) -> torch.Tensor:
    """Return what a table does not allow, bool `(num_tags + 1, num_tags + 1)`."""
    size = len(tags)
    for mark in (START, END):
        if mark in tags:
            raise ConfigurationError(
                f"Expected no tag '{mark}', which stands for the edge of a sentence in 'allowed' of"
                f" {component}."
            )
    befores = {tag: place for place, tag in enumerate([*tags, START])}
    afters = {tag: place for place, tag in enumerate([*tags, END])}
    result = torch.zeros(size + 1, size + 1, dtype=torch.bool)
    for before, followers in allowed.items():
        for name, known in ((before, befores), *((follower, afters) for follower in followers)):
            if name not in known:
                raise ConfigurationError(
                    f"Expected tags in 'allowed' of {component}, {', '.join(known)}, got '{name}'."
                )
        result[befores[before]] = True
        result[befores[before], [afters[follower] for follower in followers]] = False
    return result


def _allow_a_sequence(constraints: Constraints) -> bool:
    """Return whether a tag that may be the last one can be reached from the first ones."""
    reached = ~constraints.start
    for _ in reached:
        reached = reached | (reached.unsqueeze(1) & ~constraints.transitions).any(0)
    return bool((reached & ~constraints.end).any())
