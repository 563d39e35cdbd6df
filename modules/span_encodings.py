"""How tags write spans: IOB1, BIO, BIOUL and IOBES."""

from typing import Dict, Literal, Optional, Sequence, Set, get_args

import torch
from allennlp.common.checks import ConfigurationError

Encoding = Literal["IOB1", "BIO", "BIOUL", "IOBES", "BIOES"]
ENCODINGS = get_args(Encoding)

# In IOB1 a B stands only where a span follows one of the same label. IOBES, also called BIOES, is
# BIOUL with other letters: E for L, S for U.
PLACES: Dict[str, Set[str]] = {
    "IOB1": {"I", "B"},
    "BIO": {"B", "I"},
    "BIOUL": {"B", "I", "L", "U"},
    "IOBES": {"B", "I", "E", "S"},
    "BIOES": {"B", "I", "E", "S"},
}
_AS_BIOUL = {"E": "L", "S": "U"}
_AS_IOBES = {"L": "E", "U": "S"}


def is_tag_of(encoding: str, tag: str) -> bool:
    """Whether a tag belongs to an encoding, such as 'O' and 'B-PER' to BIO."""
    place, _, label = tag.partition("-")
    return tag == "O" or (place in PLACES[encoding] and label != "")


def check_tags(tags: Sequence[str], encoding: str, component: str) -> None:
    """Raise `ConfigurationError` for an unknown encoding, or for tags that do not belong to it, in
    the name of a component."""
    if encoding not in ENCODINGS:
        raise ConfigurationError(
            f"Expected the encoding of {component} to be one of {list(ENCODINGS)}, got "
            f"'{encoding}'."
        )
    for tag in tags:
        if not is_tag_of(encoding, tag):
            raise ConfigurationError(
                f"Expected tags of the encoding {encoding}, such as 'O' and 'B-PER', for "
                f"{component}, got '{tag}'; choose another encoding, or convert the tags."
            )


def opening_tags(
    tags: Sequence[str], encoding: Optional[str], labels: Sequence[str]
) -> torch.Tensor:
    """Return the tags that begin a span with each of the labels, bool `(num_labels, num_tags)`;
    without an encoding a label is a tag.

    >>> opening_tags(["O", "B-A", "I-A", "B-B"], "BIO", ["A", "B"]).int().tolist()
    [[0, 1, 0, 0], [0, 0, 0, 1]]

    # Raises

    `ConfigurationError` for a label that no tag has, and for IOB1, where the tag before decides.
    """
    if encoding == "IOB1":
        raise ConfigurationError(
            "Expected an encoding in which a tag says that it begins a span, such as BIO, for "
            "labels that are unique, got IOB1; convert the tags by 'convert_to' of the reader."
        )
    rows = []
    for label in labels:
        own = [label] if encoding is None else [f"{place}-{label}" for place in "BUS"]
        rows.append([tag in own for tag in tags])
        if not any(rows[-1]):
            raise ConfigurationError(
                f"Expected labels that are unique to be among the tags, got '{label}', which no "
                f"tag begins, of {', '.join(tags)[:200]}."
            )
    return torch.tensor(rows)


def base_encoding(encoding: str) -> str:
    """Return BIOUL for IOBES and BIOES, and any other encoding as it is."""
    return "BIOUL" if "S" in PLACES[encoding] else encoding


def as_bioul(tag: str) -> str:
    """Return a tag of IOBES in BIOUL; tags of the other encodings stay as they are.

    >>> [as_bioul(tag) for tag in ["B-X", "E-X", "S-S", "O"]]
    ['B-X', 'L-X', 'U-S', 'O']
    """
    return _replaced(tag, _AS_BIOUL)


def as_iobes(tag: str) -> str:
    """Return a tag of BIOUL in IOBES.

    >>> [as_iobes(tag) for tag in ["B-X", "L-X", "U-L", "O"]]
    ['B-X', 'E-X', 'S-L', 'O']
    """
    return _replaced(tag, _AS_IOBES)


def _replaced(tag: str, places: Dict[str, str]) -> str:
    place, dash, label = tag.partition("-")
    return places.get(place, place) + dash + label
