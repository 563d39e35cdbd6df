"""Pictures of dependency trees: the true arcs above the words, and the predicted ones below."""

from typing import List, NamedTuple, Tuple

from markupsafe import Markup

LETTER, GAP, LEVEL, TEXT = 7.5, 14, 22, 16  # pixels: of a letter, between words, of arcs, of a line
COLOURS = {True: "var(--right)", False: "var(--validation)"}
ABOVE, BELOW = -1, 1

Arcs = List[Tuple[int, str]]
"""The head of each word, 0 for the root and 1 for the first word, and its relation."""


class Tree(NamedTuple):
    """A sentence with its tree and the predicted one."""

    words: List[str]
    true: Arcs
    predicted: Arcs


class _Arc(NamedTuple):
    word: int  # from 0
    head: int  # that of the root is the word itself
    relation: str
    is_right: bool
    level: int


def tree_picture(tree: Tree) -> Markup:
    """Return a tree and its prediction as an SVG image; arcs that only one of the two has stand in
    the colour of mistakes."""
    columns = zip(tree.words, tree.true, tree.predicted, strict=True)
    widths = [GAP + LETTER * max(len(w), len(t[1]), len(p[1])) for w, t, p in columns]
    middles = [sum(widths[:i]) + width / 2 for i, width in enumerate(widths)]
    above, below = _arcs(tree.true, tree.predicted), _arcs(tree.predicted, tree.true)
    base = LEVEL * max(arc.level for arc in above) + TEXT
    end = base + TEXT + LEVEL * max(arc.level for arc in below) + TEXT
    words = Markup("").join(
        Markup('<text x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text>').format(x, base + 12, w)
        for x, w in zip(middles, tree.words, strict=True)
    )
    arcs = [_drawn(arc, middles, base - 2, ABOVE) for arc in above]
    arcs += [_drawn(arc, middles, base + TEXT + 2, BELOW) for arc in below]
    return Markup(
        '<svg class="tree" role="img" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} '
        '{1:.0f}" font-size="13" fill="currentColor"><title>{2}</title>{3}{4}</svg>'
    ).format(sum(widths), end, "above: true, below: predicted", words, Markup("").join(arcs))


def _arcs(own: Arcs, other: Arcs) -> List[_Arc]:
    """Return the arcs of a tree, each a level above those that it spans."""
    found: List[_Arc] = []
    heads = [head - 1 if head else word for word, (head, _) in enumerate(own)]
    for word in sorted(range(len(own)), key=lambda word: abs(heads[word] - word)):
        start, end = sorted((word, heads[word]))
        spanned = [
            arc.level
            for arc in found
            if min(arc.word, arc.head) < end and start < max(arc.word, arc.head)
        ]
        level = 1 + max(spanned, default=0)
        found.append(_Arc(word, heads[word], own[word][1], own[word] == other[word], level))
    return found


def _drawn(arc: _Arc, middles: List[float], base: float, side: int) -> Markup:
    """Return an arc from its head to its word, with an arrow and its relation."""
    word, head = middles[arc.word], middles[arc.head]
    head += 4 if arc.word < arc.head else -4 if arc.head < arc.word else 0
    top = base + side * (LEVEL * arc.level - 6)
    control = base + side * (LEVEL * arc.level - 6) / 0.75  # the curve ends at 3/4 of its height
    curve = f"M{head:.0f} {base:.0f}C{head:.0f} {control:.0f} {word:.0f} {control:.0f} "
    if arc.word == arc.head:
        curve = f"M{word:.0f} {top:.0f}L"
    tip = f"M{word - 3:.0f} {base + side * 5:.0f}L{word:.0f} {base:.0f}"
    tip += f"L{word + 3:.0f} {base + side * 5:.0f}"
    label = top - 2 if side == ABOVE else top + 9
    return Markup(
        '<path d="{}{:.0f} {:.0f}{}" fill="none" stroke="{}"/><text x="{:.0f}" y="{:.0f}" '
        'text-anchor="middle" font-size="10" style="fill: {}">{}</text>'
    ).format(
        curve,
        word,
        base,
        tip,
        COLOURS[arc.is_right],
        (head + word) / 2,
        label,
        COLOURS[arc.is_right],
        arc.relation,
    )
