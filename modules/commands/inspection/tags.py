"""Files of tags: their columns, and how the tags write spans."""

from collections import Counter
from typing import Any, Dict, List, Optional, Tuple

from ...data.conll import CONLLU_COLUMNS, UPOS, Sentence, read_columns, read_conllu
from ...data.readers import TaggingConllReader
from ...data.tag_encodings import read_spans
from .found import Found, Options, counted, listed

# The `max_segment_length` that a table has by default.
_SEGMENT = 8
_ENCODINGS = ("BIO", "IOB1", "BIOUL", "IOBES")


def inspect_tags(path: str, options: Options) -> Found:
    """Return what a file of a token on each line has.

    # Raises

    `ValueError` for a file that is no such file, and where its columns cannot be told.
    """
    settings = _columns(path, options)
    reader = TaggingConllReader(**settings)
    sentences = list(reader._sentences(path))
    sequences = [sentence.column(reader.tag_column) for sentence in sentences]
    count = Counter(tag for tags in sequences for tag in tags)
    tokens = sum(map(len, sequences))
    if len(count) > max(100, tokens / 10):
        raise ValueError(
            f"{path}: expected a column of tags, got {len(count):,} different ones in "
            f"{tokens:,} tokens in the column {reader.tag_column}; name the columns, which count "
            "from 0: --token-column 0 --tag-column 1."
        )
    list(reader.instances(path))  # raises for what the reader does not read
    written = _spans(sentences, sequences, list(count))
    common = [tag for tag, _ in count.most_common()]
    facts = [
        ("sentences", f"{len(sentences):,}, {tokens:,} tokens"),
        ("tags", f"{len(count):,} ({listed(common)})"),
        ("first line", " ".join(sentences[0].rows[0])[:60]),
    ]
    if reader.conllu and sentences[0].has_tree:
        facts.append(("trees", "of the words; --trees parses them in place of the tags"))
    further: Dict[str, Any] = {}
    if written is not None:
        encoding, longest = written
        facts.append(
            ("spans", f"written in {encoding}, the longest of {counted(longest, 'token')}")
        )
        settings["encoding"] = encoding
        metric = {"type": "span-f1", "encoding": encoding}
        further = {"metrics": [metric, "tag-accuracy"], "validation_metric": "+span_f1"}
        if longest > _SEGMENT:
            further["max_segment_length"] = longest
    warnings = _doubts(sequences, count)
    return Found("tagging", {"type": "tagging-conll", **settings}, facts, warnings, further)


def _columns(path: str, options: Options) -> Dict[str, Any]:
    named = {
        name: value
        for name, value in (
            ("token_column", options.token_column),
            ("tag_column", options.tag_column),
        )
        if value is not None
    }
    if _is_conllu(path):
        return {"conllu": True, **named}
    first = next(iter(read_columns(path)))
    if len(first.rows[0]) < 2:
        raise ValueError(
            f"{path}: expected a line for each token with the token and its tag, got one column, "
            f"'{first.rows[0][0][:40]}'."
        )
    tabs = len(next(iter(read_columns(path, "\t"))).rows[0])
    return {"separator": "tab", **named} if tabs > 1 else named


def _is_conllu(path: str) -> bool:
    try:
        first = next(iter(read_conllu(path)))
    except (StopIteration, ValueError):
        return False
    return len(first.rows[0]) >= CONLLU_COLUMNS and any(tag != "_" for tag in first.column(UPOS))


def _spans(
    sentences: List[Sentence], sequences: List[List[str]], tags: List[str]
) -> Optional[Tuple[str, int]]:
    """Return the encoding of spans that all tags have and the length of the longest span, or
    None."""
    if "O" not in tags or not all(tag == "O" or tag[1:2] == "-" for tag in tags):
        return None
    for encoding in _ENCODINGS:
        try:
            lengths = [
                last - first + 1
                for sentence, each in zip(sentences, sequences, strict=True)
                for _, first, last in read_spans(each, encoding, sentence)
            ]
        except ValueError:
            continue
        return encoding, max(lengths, default=0)
    return None


def _doubts(sequences: List[List[str]], count: "Counter[str]") -> List[str]:
    warnings = []
    rare = sorted(tag for tag, number in count.items() if number < 2)
    if rare:
        warnings.append(f"{counted(len(rare), 'tag')} on one token only: {listed(rare)}.")
    longest = max(map(len, sequences))
    if longest > 250:
        warnings.append(f"A sentence of {longest} tokens; are blank lines between sentences?")
    if len(sequences) < 100:
        warnings.append(f"{counted(len(sequences), 'sentence')}: too few to learn much from.")
    return warnings
