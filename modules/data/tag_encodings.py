"""Spans written as tags: IOB1, BIO, BIOUL and IOBES."""

from typing import List, Sequence, Tuple

from ..span_encodings import as_bioul, as_iobes, base_encoding, is_tag_of
from .conll import Sentence


def convert(tags: Sequence[str], encoding: str, to: str, sentence: Sentence) -> List[str]:
    """Return the tags of a sentence in another encoding.

    # Raises

    `ValueError` for a tag that is not of the encoding, such as an I-PER after an O in BIO.
    """
    spans = read_spans(tags, encoding, sentence)
    written = ["O"] * len(tags)
    base = base_encoding(to)
    before = ("", -1)  # the label of the span before, and where it ended
    for label, start, end in spans:
        places = ["I"] * (end - start + 1)
        if base == "BIO" or (base == "IOB1" and before == (label, start - 1)):
            places[0] = "B"
        elif base == "BIOUL":
            places[0], places[-1] = ("U", "U") if start == end else ("B", "L")
        written[start : end + 1] = [f"{place}-{label}" for place in places]
        before = (label, end)
    return written if to == base else [as_iobes(tag) for tag in written]


def read_spans(
    tags: Sequence[str], encoding: str, sentence: Sentence
) -> List[Tuple[str, int, int]]:
    """Return the label, first and last token of each span, in order."""
    spans: List[Tuple[str, int, int]] = []
    start, open_label = -1, None  # of the span that is under way
    for at, tag in enumerate([*tags, "O"]):
        place, _, label = as_bioul(tag).partition("-")
        if not is_tag_of(encoding, tag):
            raise _wrong(sentence, at, tag, encoding, "")
        goes_on = place in ("I", "L") and label == open_label
        if encoding != "IOB1" and place in ("I", "L") and not goes_on:
            raise _wrong(sentence, at, tag, encoding, tags[at - 1] if at else "the beginning")
        if open_label is not None and not goes_on:
            if base_encoding(encoding) == "BIOUL":
                raise _wrong(sentence, min(at, len(tags) - 1), tag, encoding, tags[at - 1])
            spans.append((open_label, start, at - 1))
            open_label = None
        if place in ("B", "U") or (place == "I" and not goes_on):
            start, open_label = at, label
        if place in ("U", "L"):
            spans.append((label, start, at))
            open_label = None
    return spans


def _wrong(sentence: Sentence, at: int, tag: str, encoding: str, before: str) -> ValueError:
    after = f" after {before}" if before else ""
    return ValueError(
        f"{sentence.where(at)}: expected a tag of the encoding {encoding}, got '{tag}'{after}; "
        "check the encoding of the file."
    )
