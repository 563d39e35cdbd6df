"""Metrics of semantic roles."""

import functools
import re
from collections import Counter
from typing import Callable, Dict, Hashable, List, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..span_encodings import Encoding
from ..vocabulary import names
from .spans import Find, PartMetric, Span, span_finder
from .sums import Sums, ratio
from .tag_metric import TagMetric, f1, precision, recall

CONTINUATION = "C-"
_CORE = re.compile("A(RG)?[0-5A]")


class RoleMetric(PartMetric):
    """The base of metrics of semantic roles: the arguments of a predicate, without what says that
    there is none, micro-averaged, and for each role under its name (`role_f1.ARG0`).

    By default each token with a role is an argument. With an encoding each span is, and with
    `join_continuations` the pieces of one argument count as one, which is right where its role and
    all its pieces are. Both together are the measure of the CoNLL shared tasks (Carreras & Màrquez
    2005; Pradhan et al. 2012; the program `srl-eval.pl`), where `R-X` is a role distinct from `X`
    and `V` does not count.

    # Parameters

    without : `List[str]`
        The roles that do not count; by default no role, and the predicate itself.
    by_role : `bool`
        Whether to report each role.
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"` or `"IOBES"`, optional
        How the tags write roles that are spans; by default a role is a token.
    join_continuations : `bool`
        Whether `C-X` is a piece of the last argument X before it, or begins an argument X where
        there is none. Otherwise `C-X` is a role distinct from `X`.

    # Raises

    `ConfigurationError` where no role counts, and for tags that are not of the encoding.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        without: Sequence[str] = ("_", "O", "V"),
        by_role: bool = True,
        encoding: Optional[Encoding] = None,
        join_continuations: bool = False,
    ) -> None:
        tags = names(vocab, "labels")
        spans = tokens_of if encoding is None else span_finder(tags, encoding, self.name)
        find: Find = spans
        roles = tags if encoding is None else [tag.partition("-")[2] for tag in tags if tag != "O"]
        if join_continuations:
            find = functools.partial(arguments_of, spans)
            roles = [role.removeprefix(CONTINUATION) for role in roles]
        super().__init__(tags, find, list(dict.fromkeys(roles)), without, by_role)
        if not self.counted:
            raise ConfigurationError(
                f"Expected tags that count in the metric '{self.name.replace('_', '-')}', got only "
                f"{tags}; change 'without'."
            )


def tokens_of(tags: List[str]) -> List[Span]:
    """Return each token with its tag, as a span."""
    return [(tag, (at, at)) for at, tag in enumerate(tags)]


def arguments_of(
    find: Callable[[List[str]], List[Span]], tags: List[str]
) -> List[Tuple[str, Hashable]]:
    """Return the arguments of a sequence of tags: the role of each and all its pieces, which are
    spans that `find` finds.

    >>> arguments_of(tokens_of, ["A0", "A1", "C-A0"])
    [('A0', ((0, 0), (2, 2))), ('A1', ((1, 1),))]
    """
    arguments: List[Tuple[str, List[Tuple[int, int]]]] = []
    last: Dict[str, List[Tuple[int, int]]] = {}  # the pieces of the last argument of each role
    for label, piece in sorted(find(tags), key=lambda span: span[1]):
        role = label.removeprefix(CONTINUATION)
        if role == label or role not in last:
            last[role] = []
            arguments.append((role, last[role]))
        last[role].append(piece)
    return [(role, tuple(pieces)) for role, pieces in arguments]


@Metric.register("repeated-roles")
class RepeatedRoles(TagMetric):
    """The share of predicates for which a core role is predicted more than once, although each is
    unique (Punyakanok et al. 2008; Li et al. 2020, the violations of unique core roles).

    # Parameters

    roles : `List[str]`, optional
        The unique roles; by default the core roles among the tags, ARG0 to ARG5 and ARGA, or A0 to
        A5 and AA.
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"` or `"IOBES"`, optional
        How the tags write roles that are spans; by default a role is a token.

    # Raises

    `ConfigurationError` for tags that are not of the encoding, and without unique roles.
    """

    name = "repeated_roles"
    higher_is_better = False
    uses_labels = False
    cheap = False

    def __init__(
        self,
        vocab: Vocabulary,
        roles: Optional[Sequence[str]] = None,
        encoding: Optional[Encoding] = None,
    ) -> None:
        super().__init__()
        self.tags = names(vocab, "labels")
        self.find = None if encoding is None else span_finder(self.tags, encoding, self.name)
        types = {tag if encoding is None else tag.partition("-")[2] for tag in self.tags}
        core = {role for role in types if _CORE.fullmatch(role)}
        self.roles = core if roles is None else set(roles)
        if not self.roles or not self.roles <= types:
            raise ConfigurationError(
                "Expected unique roles among the tags in the metric 'repeated-roles', got "
                f"{sorted(self.roles)} and the tags {', '.join(self.tags)[:200]}; set 'roles' and "
                "'encoding'."
            )

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        repeated = count = 0
        for row, real in zip(predictions.cpu(), mask.cpu(), strict=True):
            tags = [self.tags[number] for number in row[real].tolist()]
            found = tags if self.find is None else [label for label, _ in self.find(tags)]
            counts = Counter(found)
            repeated += any(counts[role] > 1 for role in self.roles)
            count += bool(tags)
        return {
            "repeated": torch.tensor(repeated, device=labels.device),
            "count": torch.tensor(count, device=labels.device),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["repeated"], sums["count"], empty=0.0)


@Metric.register("role-f1")
class RoleF1(RoleMetric):
    """F1 = 2 TP / (2 TP + FP + FN) of roles."""

    name = "role_f1"
    measure = staticmethod(f1)


@Metric.register("role-precision")
class RolePrecision(RoleMetric):
    """TP / (TP + FP) of roles; 0 where none is predicted."""

    name = "role_precision"
    measure = staticmethod(precision)


@Metric.register("role-recall")
class RoleRecall(RoleMetric):
    """TP / (TP + FN) of roles; 0 where none is true."""

    name = "role_recall"
    measure = staticmethod(recall)
