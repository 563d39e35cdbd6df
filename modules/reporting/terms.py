"""The terms of a taxonomy with their F1 and frequencies, as an outline that folds."""

from typing import Dict, List, NamedTuple, Optional

import numpy as np

from ..taxonomy import Taxonomy
from .diagnosis import Diagnosis

LIMIT = 1000
"""The number of terms of an outline; the rarest are left out where there are more."""


class Term(NamedTuple):
    """A term below one of its parents.

    # Fields

    place : of the label.
    name : without the names of the parents, where it is a path.
    true, predicted : the numbers of instances.
    f1, precision, recall : `None` where they are not defined.
    has_references : whether the term stands below other parents too, as a reference.
    is_reference : whether it stands in full below another parent.
    children : the most frequent first; none of a reference.
    num_hidden : the number of further children, which the outline leaves out.
    """

    place: int
    name: str
    true: int
    predicted: int
    f1: Optional[float]
    precision: Optional[float]
    recall: Optional[float]
    has_references: bool
    is_reference: bool
    children: List["Term"]
    num_hidden: int


class Outline(NamedTuple):
    """A taxonomy with what a model does with its terms.

    # Fields

    roots : the terms without parents, the most frequent first.
    num_hidden : the number of further roots, which the outline leaves out.
    num_shown, num_terms : of the outline, and of the taxonomy.
    num_instances : of the data.
    num_violating : the number of predictions with a label without one of its parents.
    num_violations : the number of such labels in all predictions.
    """

    roots: List[Term]
    num_hidden: int
    num_shown: int
    num_terms: int
    num_instances: int
    num_violating: int
    num_violations: int


def outline_of(diagnosis: Diagnosis, limit: int = LIMIT) -> Optional[Outline]:
    """Return the outline of the terms that are true or predicted in the data; `None` for labels
    without a taxonomy.

    In a DAG a term stands in full below its first parent, and as a reference below the others.
    """
    taxonomy, labels, violations = diagnosis.taxonomy, diagnosis.labels, diagnosis.violations
    if taxonomy is None or labels is None or violations is None:
        return None
    frequency = labels.true + labels.predicted
    by_frequency = np.argsort(-frequency, kind="stable")
    chosen = [place for place in by_frequency.tolist() if frequency[place] > 0][:limit]
    shown = set(taxonomy.close(chosen).tolist())
    rank = {place: number for number, place in enumerate(by_frequency.tolist())}
    children: Dict[int, List[int]] = {place: [] for place in range(-1, len(taxonomy))}
    for place, parents in enumerate(taxonomy.parents):
        for parent in parents or (-1,):
            children[parent].append(place)
    whole: Dict[int, Term] = {}

    def below(parent: int) -> List[Term]:
        places = sorted(shown.intersection(children[parent]), key=rank.__getitem__)
        return [
            whole[place]
            if parent == (taxonomy.parents[place] or (-1,))[0]
            else whole[place]._replace(is_reference=True, children=[], num_hidden=0)
            for place in places
        ]

    for place in reversed(taxonomy.order):  # children before their parents
        if place in shown:
            true, predicted, both = (
                int(counts[place]) for counts in (labels.true, labels.predicted, labels.both)
            )
            whole[place] = Term(
                place,
                _own_name(taxonomy, place),
                true,
                predicted,
                _ratio(2 * both, true + predicted),
                _ratio(both, predicted),
                _ratio(both, true),
                len(taxonomy.parents[place]) > 1,
                False,
                below(place),
                len(set(children[place]) - shown),
            )
    return Outline(
        below(-1),
        len(set(children[-1]) - shown),
        len(shown),
        len(taxonomy),
        len(violations),
        int((violations > 0).sum()),
        int(violations.sum()),
    )


def _own_name(taxonomy: Taxonomy, place: int) -> str:
    term, parents = taxonomy.terms[place], taxonomy.parents[place]
    return term.removeprefix(f"{taxonomy.terms[parents[0]]}/") if parents else term


def _ratio(part: int, whole: int) -> Optional[float]:
    return part / whole if whole else None
