"""Metrics of tags, against scikit-learn and the rules of CoNLL's evaluation written out."""

import re

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from structured_energy.metrics import RepeatedRoles, RoleF1, SpanF1, TagAccuracy
from structured_energy.metrics.spans import whole_bioul_spans

ROLES = ["_", "V", "ARG0", "ARG1"]
ROLE_SPANS = ["O", "B-ARG0", "I-ARG0", "B-ARG1", "B-ARGM"]
TAGS = {
    "BIO": ["O", "B-X", "I-X", "B-Y", "I-Y"],
    "IOB1": ["O", "B-X", "I-X", "B-Y", "I-Y"],
    "BIOUL": ["O", *(f"{place}-{label}" for label in "XY" for place in "BILU")],
    "IOBES": ["O", *(f"{place}-{label}" for label in "XY" for place in "BIES")],
}


def vocab_of(tags):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in tags:
        vocab.add_token_to_namespace(tag, "labels")
    return vocab


@st.composite
def sentences(draw, size):
    """Sentences with predicted and true tags, and where to cut them into two batches."""
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))
    tags = st.integers(0, size - 1)
    pairs = [[draw(st.lists(tags, min_size=n, max_size=n)) for _ in range(2)] for n in lengths]
    return pairs, draw(st.integers(0, len(pairs)))


def judged(metric, pairs, cut, size):
    """Return the value of the metric on two batches, with wrong labels in the padding."""
    for part in (pairs[:cut], pairs[cut:]):
        if not part:
            continue
        width = max(len(true) for _, true in part) + 1
        mask = torch.zeros(len(part), width, dtype=torch.bool)
        probabilities = torch.rand(len(part), width, size)
        labels = torch.zeros(len(part), width, dtype=torch.long)
        for i, (predicted, true) in enumerate(part):
            mask[i, : len(true)] = True
            labels[i, : len(true)] = torch.tensor(true)
            probabilities[i, range(len(true)), predicted] += 1
        metric(probabilities, probabilities.argmax(-1), labels, mask)
    return metric.get_metric(reset=True)


def flat(pairs, which):
    return [tag for pair in pairs for tag in pair[which]]


@settings(max_examples=60, deadline=None)
@given(sentences(4))
def test_accuracy_is_scikit_learn_s(data):
    pairs, cut = data
    expected = accuracy_score(flat(pairs, 1), flat(pairs, 0))
    assert judged(TagAccuracy(), pairs, cut, 4) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(sentences(4))
def test_the_accuracy_of_each_tag_is_scikit_learn_s_recall(data):
    pairs, cut = data
    predicted, true = flat(pairs, 0), flat(pairs, 1)
    values = judged(TagAccuracy(vocab_of(ROLES), by_tag=True), pairs, cut, 4)
    assert values.pop("") == pytest.approx(accuracy_score(true, predicted))
    each = recall_score(true, predicted, labels=range(4), average=None, zero_division=0.0)
    expected = {f".{ROLES[i]}": each[i] for i in set(true)}
    assert values == pytest.approx(expected)


@pytest.mark.parametrize(
    ("measure", "reference"),
    [("f1", f1_score), ("precision", precision_score), ("recall", recall_score)],
)
@settings(max_examples=60, deadline=None)
@given(sentences(4))
def test_values_of_roles_are_scikit_learn_s(measure, reference, data):
    pairs, cut = data
    predicted, true = flat(pairs, 0), flat(pairs, 1)
    values = judged(Metric.by_name(f"role-{measure}")(vocab_of(ROLES)), pairs, cut, 4)
    micro = reference(true, predicted, labels=[2, 3], average="micro", zero_division=0.0)
    each = reference(true, predicted, labels=[2, 3], average=None, zero_division=0.0)
    assert values.pop("") == pytest.approx(micro)
    seen = set(predicted) | set(true)
    expected = {f".{ROLES[i]}": each[i - 2] for i in (2, 3) if i in seen}
    assert values == pytest.approx(expected)


def spans(tags, encoding):
    """Where a span begins and ends, by the table of rules of CoNLL's conlleval."""
    result, start = set(), None
    split = [tag.partition("-")[::2] for tag in tags] + [("O", "")]
    before = ("O", "")
    for at, (place, label) in enumerate(split):
        inside, was_inside = place != "O", before[0] != "O"
        begins = inside and (not was_inside or before[1] != label or place == "B")
        if was_inside and (begins or not inside):
            result.add((before[1], start, at - 1))
        if begins:
            start = at
        before = (place, label)
    return result


def values_of(pairs, tags, find, label=None):
    """Return F1, precision and recall of the spans with a label, or of all."""
    right = found = wanted = 0
    for pair in pairs:
        predicted, true = (
            {span for span in find([tags[i] for i in numbers]) if label in (None, span[0])}
            for numbers in pair
        )
        right += len(predicted & true)
        found, wanted = found + len(predicted), wanted + len(true)
    precision, recall = right / max(found, 1), right / max(wanted, 1)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}, found + wanted > 0


@pytest.mark.parametrize("measure", ["f1", "precision", "recall"])
@pytest.mark.parametrize("encoding", ["BIO", "IOB1"])
@settings(max_examples=80, deadline=None)
@given(sentences(5))
def test_values_of_spans_are_conlleval_s(encoding, measure, data):
    pairs, cut = data
    tags = TAGS[encoding]
    if encoding == "IOB1":  # where B stands only between two spans of one label
        pairs = [[as_iob1(numbers) for numbers in pair] for pair in pairs]
    values = judged(Metric.by_name(f"span-{measure}")(vocab_of(tags), encoding), pairs, cut, 5)
    for label in (None, "X", "Y"):
        expected, occurs = values_of(pairs, tags, lambda each: spans(each, encoding), label)
        key = "" if label is None else f".{label}"
        assert (key in values) == (occurs or label is None)
        assert values.get(key, 0.0) == pytest.approx(expected[measure])
    without = SpanF1(vocab_of(tags), encoding, without=["Y"], by_type=False)
    expected, _ = values_of(pairs, tags, lambda each: spans(each, encoding), "X")
    assert judged(without, pairs, cut, 5) == {"": pytest.approx(expected["f1"])}


def arguments(tags, encoding):
    """Return the arguments by the definition of CoNLL-2005: the role of each and its pieces, which
    are sets of words. The pieces of the n-th argument X are the n-th X and each C-X up to the next
    X; those before the first X are an argument too."""
    if encoding is None:
        pieces = [(tag, {at}) for at, tag in enumerate(tags) if tag != "O"]
    else:
        found = sorted(spans(tags, encoding), key=lambda span: span[1])
        pieces = [(label, set(range(start, end + 1))) for label, start, end in found]
    result = set()
    for role in {label.removeprefix("C-") for label, _ in pieces} - {"V"}:
        starts = [min(words) for label, words in pieces if label == role]
        own = [words for label, words in pieces if label in (role, f"C-{role}")]
        for number in range(len(starts) + 1):
            each = [w for w in own if sum(start <= min(w) for start in starts) == number]
            if each:
                result.add((role, frozenset(map(frozenset, each))))
    return result


ARGUMENTS = ["O", "A0", "C-A0", "R-A0", "A1", "C-A1", "C-A2", "V", "C-V"]


@pytest.mark.parametrize("measure", ["f1", "precision", "recall"])
@pytest.mark.parametrize("encoding", [None, "BIO"])
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_joined_roles_are_scored_by_the_definition_of_conll_2005(encoding, measure, data):
    tags = ARGUMENTS
    if encoding == "BIO":
        tags = ["O", *(f"{place}-{role}" for role in ARGUMENTS[1:] for place in "BI")]
    pairs, cut = data.draw(sentences(len(tags)))
    if data.draw(st.booleans()):  # otherwise few arguments are right
        pairs = [[true[:-1] + predicted[-1:], true] for predicted, true in pairs]
    metric = Metric.by_name(f"role-{measure}")(
        vocab_of(tags), encoding=encoding, join_continuations=True
    )
    values = judged(metric, pairs, cut, len(tags))
    for role in (None, "A0", "A1", "A2", "R-A0"):
        expected, occurs = values_of(pairs, tags, lambda each: arguments(each, encoding), role)
        key = "" if role is None else f".{role}"
        assert (key in values) == (occurs or role is None)
        assert values.get(key, 0.0) == pytest.approx(expected[measure])
    assert {".V", ".C-V", ".C-A0", ".O"}.isdisjoint(values)


@pytest.mark.parametrize(
    ("predicted", "true", "right", "counts"),
    [
        # A discontinuous argument around another one, which is right only with all its pieces.
        ("B-A1 B-A0 B-V B-C-A1 I-C-A1", "B-A1 B-A0 B-V B-C-A1 I-C-A1", 2, (2, 2)),
        ("B-A1 B-A0 B-V B-C-A1 O", "B-A1 B-A0 B-V B-C-A1 I-C-A1", 1, (2, 2)),
        ("B-A1 B-A0 B-V O O", "B-A1 B-A0 B-V B-C-A1 I-C-A1", 1, (2, 2)),
        # Without an A1 before it, C-A1 is an argument A1.
        ("B-C-A1 B-V O", "B-A1 B-V O", 1, (1, 1)),
        ("B-C-A1 B-V B-C-A1", "B-A1 B-V B-C-A1", 1, (1, 1)),
        # A second A1 is another argument, and the piece belongs to it.
        ("B-A1 B-A1 B-C-A1", "B-A1 O B-C-A1", 0, (2, 1)),
        # Two pieces side by side are not one.
        ("B-A1 B-C-A1", "B-A1 I-A1", 0, (1, 1)),
        # A reference is a role of its own, whose pieces join too.
        ("B-R-A0 B-V B-C-R-A0", "B-A0 B-V B-C-A0", 0, (1, 1)),
        # The predicate does not count, nor its pieces.
        ("B-V O B-C-V", "B-V B-C-V O", 0, (0, 0)),
    ],
)
def test_arguments_of_several_pieces(predicted, true, right, counts):
    predicted, true = predicted.split(), true.split()
    tags = ["O", "B-A0", *{*predicted, *true} - {"O", "B-A0"}]
    pair = [[tags.index(tag) for tag in each] for each in (predicted, true)]
    for measure, count in zip(("precision", "recall"), counts, strict=True):
        metric = Metric.by_name(f"role-{measure}")(
            vocab_of(tags), encoding="BIO", join_continuations=True
        )
        expected = right / count if count else 0.0
        assert judged(metric, [pair], 0, len(tags))[""] == pytest.approx(expected)


def as_iob1(numbers):
    result = []
    for at, number in enumerate(numbers):
        after_same = at > 0 and numbers[at - 1] in (number, number + 1)
        result.append(number if number in (0, 2, 4) or after_same else number + 1)
    return result


@pytest.mark.parametrize("encoding", [None, "BIO"])
@settings(max_examples=60, deadline=None)
@given(sentences(5))
def test_repeated_roles_are_counted(encoding, data):
    pairs, cut = data
    tags = ["O", "V", "ARG0", "ARG1", "ARGM"] if encoding is None else ROLE_SPANS
    count = 0
    for predicted, _ in pairs:
        named = [tags[i] for i in predicted]
        begun = named if encoding is None else [label for label, *_ in spans(named, encoding)]
        count += begun.count("ARG0") > 1 or begun.count("ARG1") > 1
    metric = RepeatedRoles(vocab_of(tags), encoding=encoding)
    assert judged(metric, pairs, cut, 5) == pytest.approx(count / len(pairs))


def test_bioul_spans():
    tags = TAGS["BIOUL"]
    number = {tag: i for i, tag in enumerate(tags)}
    true = ["U-X", "O", "B-Y", "I-Y", "L-Y", "U-X"]
    predicted = ["U-X", "O", "B-Y", "L-Y", "O", "U-Y"]
    pair = [[number[tag] for tag in predicted], [number[tag] for tag in true]]
    values = judged(SpanF1(vocab_of(tags), "BIOUL"), [pair], 0, len(tags))
    assert values[""] == pytest.approx(2 * 1 / (3 + 3))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["O", "U-X", "B-X", "I-X", "I-Y", "L-X", "L-Y"]), max_size=8))
def test_bioul_spans_are_whole(tags):
    text = "".join("O_" if tag == "O" else tag[0] + tag[2] for tag in tags)
    whole = re.finditer("|".join(f"U{x}|B{x}(?:I{x})*L{x}" for x in "XY"), text)
    expected = [(m[0][1], (m.start() // 2, m.end() // 2 - 1)) for m in whole]
    assert whole_bioul_spans(tags) == expected


def strict_spans(tags):
    """Return the spans of IOBES tags by the mode "strict" of seqeval: a span starts at a B or S,
    goes to the last tag that may follow the one before, and counts if a span may end there."""
    inside = {("B", "I"), ("B", "E"), ("I", "I"), ("I", "E")}
    result, at = set(), 0
    while at < len(tags):
        place, _, label = tags[at].partition("-")
        start = at
        at += 1
        if place not in ("B", "S"):
            continue
        while at < len(tags):
            after, _, other = tags[at].partition("-")
            if other != label or (place, after) not in inside:
                break
            place = after
            at += 1
        if place in ("E", "S"):
            result.add((label, start, at))
    return result


# In the order of TAGS["IOBES"]: whole spans of one to three tokens, and single tags.
PIECES = [[0], [4], [8], [1, 3], [5, 7], [1, 2, 3], [5, 6, 7], *([i] for i in range(9))]


@st.composite
def sentences_of_spans(draw):
    """As `sentences`, mostly of whole spans."""
    pairs = []
    for _ in range(draw(st.integers(1, 3))):
        pair = [
            sum(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4)), [])
            for _ in range(2)
        ]
        pair[1] = draw(st.sampled_from([pair[0], pair[1]]))
        length = max(map(len, pair))
        pairs.append([numbers + [0] * (length - len(numbers)) for numbers in pair])
    return pairs, draw(st.integers(0, len(pairs)))


@pytest.mark.parametrize("encoding", ["IOBES", "BIOES"])
@settings(max_examples=200, deadline=None)
@given(st.one_of(sentences(9), sentences_of_spans()))
def test_span_f1_of_iobes_is_seqeval_s(encoding, data):
    pairs, cut = data
    tags = TAGS["IOBES"]
    expected = values_of(pairs, tags, strict_spans)[0]["f1"]
    assert judged(SpanF1(vocab_of(tags), encoding), pairs, cut, 9)[""] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SpanF1(vocab_of(ROLES), "IOB9"), "one of .*, got 'IOB9'"),
        (lambda: SpanF1(vocab_of(ROLES)), "tags of the encoding BIO, .* got '_'"),
        (lambda: SpanF1(vocab_of(TAGS["IOBES"]), "BIOUL"), "encoding BIOUL, .* got 'E-X'"),
        (lambda: SpanF1(vocab_of(TAGS["BIOUL"])), "tags of the encoding BIO, .* got 'L-X'"),
        (lambda: RoleF1(vocab_of(["_", "V"])), "tags that count"),
        (
            lambda: RoleF1(vocab_of(["O", "B-C-V"]), encoding="BIO", join_continuations=True),
            "count",
        ),
        (lambda: RoleF1(vocab_of(ROLES), encoding="BIO"), "tags of the encoding BIO, .* got '_'"),
        (lambda: RepeatedRoles(vocab_of(["O", "V"])), "unique roles among the tags"),
        (lambda: RepeatedRoles(vocab_of(ROLES), ["ARG7"]), r"got \['ARG7'\]"),
        (lambda: TagAccuracy(by_tag=True), "a vocabulary"),
        (lambda: Metric.by_name("tag-accuracy")(typo=1), "typo"),
    ],
)
def test_bad_settings_are_named(build, message):
    with pytest.raises((ConfigurationError, TypeError), match=message):
        build()


@pytest.mark.parametrize("mask", [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 1]])
def test_a_masked_token_is_in_no_span(mask):
    tags = TAGS["BIO"]
    real = torch.tensor([mask], dtype=torch.bool)
    generator = torch.Generator().manual_seed(1)
    probabilities = torch.rand(1, 4, len(tags), generator=generator)
    labels = torch.tensor([[1, 2, 2, 3]])
    metric = SpanF1(vocab_of(tags))
    predicted = probabilities.argmax(-1)
    values = metric.batch_sums(probabilities, predicted, labels, real)
    unpadded = metric.batch_sums(
        probabilities[:, real[0]], predicted[:, real[0]], labels[:, real[0]], None
    )
    assert {key: value.tolist() for key, value in values.items()} == {
        key: value.tolist() for key, value in unpadded.items()
    }
    names = [tags[i] for i in labels[real]]
    assert values["true"].sum() == len(spans(names, "BIO"))


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match="a predicted and a true tag for each token"):
        TagAccuracy()(torch.rand(2, 3, 4), torch.zeros(2, 3), torch.zeros(2, 4))
