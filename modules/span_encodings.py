"""How tags write spans: IOB1, BIO and BIOUL."""

# In IOB1 a B stands only where a span follows one of its own label.
PLACES = {"IOB1": {"I", "B"}, "BIO": {"B", "I"}, "BIOUL": {"B", "I", "L", "U"}}
ENCODINGS = tuple(PLACES)


def is_tag_of(encoding: str, tag: str) -> bool:
    """Whether a tag can stand in an encoding, such as 'O' and 'B-PER' in BIO."""
    place, _, label = tag.partition("-")
    return tag == "O" or (place in PLACES[encoding] and label != "")
