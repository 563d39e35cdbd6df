"""Files of dependency trees in CoNLL-U: their relations, roots and crossing arcs."""

from collections import Counter
from typing import Any, Dict, List

import torch

from ...data.conll import FORM, HEAD, RELATION, Sentence, read_conllu
from ...data.readers import DependencyConlluReader
from ...dependency_trees import is_projective
from .found import Found, counted, listed

_FEW = 100


def inspect_trees(path: str) -> Found:
    """Return what a file of trees has.

    # Raises

    `ValueError` for a file that is not CoNLL-U, and for one without trees or with wrong ones.
    """
    sentences = list(read_conllu(path))
    if not sentences[0].has_tree:
        raise ValueError(
            f"{sentences[0].where(0)}: expected the head of each word in the column {HEAD + 1}, as "
            "in CoNLL-U, got '_'."
        )
    relations = Counter(name for each in sentences for name in each.column(RELATION))
    several = [each for each in sentences if each.column(HEAD).count("0") > 1]
    settings: Dict[str, Any] = {}
    if set(relations) == {"_"}:
        settings["relations"] = "none"
    if several:
        settings["single_root"] = False
    list(DependencyConlluReader(**settings).instances(path))  # raises for wrong trees
    words = relations.total()
    kinds = Counter(name.partition(":")[0] for name in relations.elements())
    crossing = sum(not _is_projective(each) for each in sentences)
    facts = [
        ("sentences", f"{len(sentences):,}, {words:,} words"),
        ("trees", f"{crossing / len(sentences):.1%} have arcs that cross"),
        ("relations", "none, heads only" if "relations" in settings else _named(kinds, relations)),
        ("first sentence", " ".join(sentences[0].column(FORM))[:60]),
    ]
    reader = {"type": "dependency-conllu", **settings}
    further = {"single_root": False} if several else {}
    return Found("parsing", reader, facts, _doubts(sentences, several, kinds), further)


def _named(kinds: "Counter[str]", relations: "Counter[str]") -> str:
    names = f"{len(kinds):,} ({listed([name for name, _ in kinds.most_common()])})"
    return names if relations.keys() == kinds.keys() else f"{names}, without their subtypes"


def _is_projective(sentence: Sentence) -> bool:
    return bool(is_projective(torch.tensor([int(head) for head in sentence.column(HEAD)])))


def _doubts(sentences: List[Sentence], several: List[Sentence], kinds: "Counter[str]") -> List[str]:
    warnings = []
    if several:
        warnings.append(
            f"{counted(len(several), 'sentence')} with several roots, the first in line "
            f"{several[0].lines[0]}; Universal Dependencies have one."
        )
    rare = sorted(name for name, number in kinds.items() if number < 2)
    if rare:
        warnings.append(f"{counted(len(rare), 'relation')} of one word only: {listed(rare)}.")
    if len(sentences) < _FEW:
        warnings.append(f"{counted(len(sentences), 'sentence')}: too few to learn much from.")
    return warnings
