"""How tags write spans: IOB1, BIO, BIOUL and IOBES."""

from typing import Dict, Literal, Set, get_args

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
