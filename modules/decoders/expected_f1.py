"""Decoders that maximise the expected F1 of the instance."""

from typing import Optional

import torch
from allennlp.training.metrics import Metric

from ..output_spaces import OutputSpace
from .decoder import Decoder, Prediction
from .draws import WeightedDrawsDecoder, first_highest
from .grid import GridDecoder, Parameters, Rule

_AT_ONCE = 2**22  # numbers of a table that is in memory at once
# Values that differ by no more are equal, so that rounding decides nothing.
_TOLERANCE = 1e-9
_TOLERANCE_IN_SINGLE = 1e-6
_SIZES_AT_ONCE = 16
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0)


def top(measure: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Return where the `sizes` `(rows,)` highest measures of each row are, the first of equal ones,
    bool `(rows, labels)`."""
    order = measure.sort(dim=1, descending=True, stable=True).indices
    places = torch.arange(measure.shape[1], device=measure.device)
    chosen = places.unsqueeze(0) < sizes.unsqueeze(1)
    return torch.empty_like(chosen).scatter_(1, order, chosen)


def expected_f1_by_size(probabilities: torch.Tensor) -> torch.Tensor:
    """Return the expected F1 of the k most probable labels for k = 0 … K, `(rows, K + 1)`, of
    independent labels with the probabilities `(rows, labels)`, sorted in falling order.

    K is so large that no larger set is better, see `largest_sizes`. The cost is quadratic in the
    number of labels for each row (Ye, Chai, Lee & Chieu 2012, algorithm 1).

    >>> expected_f1_by_size(torch.tensor([[0.5, 0.5]]))
    tensor([[0.2500, 0.4167, 0.5833]], dtype=torch.float64)
    """
    p = probabilities.double()
    rows, labels = p.shape
    largest = int(largest_sizes(p).max())
    tail = _inverse_tail(p[:, largest:], largest)
    inverse = [tail]  # E[1 / (α + S)] for α = 1, 2, …, where S counts the labels after the first k
    for k in range(largest, 0, -1):
        before = p[:, k - 1 : k]
        last = inverse[-1]
        inverse.append(before * last[:, 1:] + (1 - before) * last[:, :-1])
    inverse.reverse()
    head = p.new_zeros(rows, largest + 1)  # the distribution of the count of the first k labels
    head[:, 0] = 1.0
    counts = torch.arange(largest + 1, dtype=p.dtype, device=p.device)
    values = [(1 - p).prod(1)]
    for k in range(1, largest + 1):
        head = _with_label(head, p[:, k - 1 : k])
        at = inverse[k][:, k - 1 : 2 * k]  # α = k + 0 … k
        values.append(2 * (head[:, : k + 1] * counts[: k + 1] * at).sum(1))
    return torch.stack(values, 1)


def _inverse_tail(p: torch.Tensor, largest: int) -> torch.Tensor:
    """Return E[1 / (α + S)] for α = 1 … 2 · largest, where S counts independent labels with the
    probabilities p, `(rows, 2 · largest)`."""
    rows, labels = p.shape
    mean = float(p.sum(1).max()) if labels else 0.0
    # By Chernoff's bound, more labels have a probability below 1e-12.
    size = min(labels, int(mean + 10 * (mean + 1) ** 0.5 + 10))
    counts = p.new_zeros(rows, size + 1)
    counts[:, 0] = 1.0
    for own in p.t().unsqueeze(2):
        counts = _with_label(counts, own)
    alpha = torch.arange(1, 2 * largest + 1, dtype=p.dtype, device=p.device)
    return counts @ (1 / (torch.arange(size + 1, device=p.device).unsqueeze(1) + alpha))


def _with_label(counts: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Return the distribution of a number of labels after one more, of the probability `own`; the
    mass beyond the last number is left out."""
    return counts * (1 - own) + torch.nn.functional.pad(counts[:, :-1], (1, 0)) * own


def maximise_expected_f1(probabilities: torch.Tensor) -> torch.Tensor:
    """Return the sets with the highest expected F1 of independent labels, bool `(rows, labels)`; of
    equally good ones the smallest."""
    p = probabilities.sort(dim=1, descending=True).values
    largest = largest_sizes(p)
    size = torch.empty_like(largest)
    rows = largest.argsort(descending=True, stable=True)  # those of like sizes together
    while len(rows):
        count = max(1, _AT_ONCE // (int(largest[rows[0]]) + 1) ** 2)
        part, rows = rows[:count], rows[count:]
        size[part] = first_highest(expected_f1_by_size(p[part]), _TOLERANCE)
    return top(probabilities, size)


def largest_sizes(probabilities: torch.Tensor) -> torch.Tensor:
    """Return K ≥ 1 of each row, `(rows,)`: no set of more labels has a higher expected F1, for
    independent labels with the probabilities `(rows, labels)`, sorted in falling order.

    Let M be the mean number of labels, m of them among the first k, and v the variance of the
    number of the others. By Jensen's inequality the expected F1 of the first k labels is at least
    2m / (k + M + 1) and at most 2m / (k + M) · (1 + v / ((k + M)(k + m))), as
    1/x ≤ 1/c − (x − c)/c² + (x − c)²/(a c²) for x ≥ a.
    """
    p = probabilities.double()
    m, variance = p.cumsum(1), (p * (1 - p)).flip(1).cumsum(1).flip(1)
    v = torch.nn.functional.pad(variance[:, 1:], (0, 1))
    k = torch.arange(1, p.shape[1] + 1, dtype=p.dtype, device=p.device)
    both = k + m[:, -1:]
    most = 2 * m / both * (1 + v / (both * (k + m)))
    least = torch.maximum((2 * m / (both + 1)).amax(1), (1 - p).prod(1))
    may_be_best = most >= least.unsqueeze(1) - _TOLERANCE
    return (may_be_best * k).amax(1).long().clamp(min=1)


@Decoder.register("expected-f1")
class ExpectedF1Decoder(GridDecoder):
    """The set of labels with the highest expected F1 under independent labels, exactly.

    The labels have the probabilities σ(l_i / T) with l_i = logit p_i: the temperature T, fitted by
    the metric, corrects probabilities that are too sure or not sure enough. F1 is 1 where both sets
    are empty. The best set has the k most probable labels for some k; the expected F1 of each is
    computed by the quadratic algorithm of Ye et al. (2012, "Optimizing F-measure: a tale of two
    approaches").

    # Parameters

    temperature : `float`, optional
        T > 0; fitted by default, from 1.
    metric : `Metric`, optional
        The metric to optimise.
    """

    temperature: torch.Tensor

    def __init__(
        self,
        output_space: OutputSpace,
        temperature: Optional[float] = None,
        metric: Optional[Metric] = None,
    ) -> None:
        super().__init__(output_space, metric)
        self.add_parameter("temperature", temperature, 1.0, TEMPERATURES, 1e-6)

    def rule(self, prediction: Prediction) -> Rule:
        probabilities = prediction.probabilities
        logits = self.output_space.logits_of(probabilities.flatten(1))

        def decode(at: Parameters) -> torch.Tensor:
            tempered = self.output_space.normalize(logits / at["temperature"])
            return maximise_expected_f1(tempered).view_as(probabilities)

        return decode


def maximise_expected_f1_of_draws(draws: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the sets with the highest expected F1 under weighted draws, bool `(rows, labels)`; of
    equally good ones the smallest.

    For a set h of size k, E[F1] = Σ_{i ∈ h} Δ_ik with Δ_ik = Σ_j w_j y_ji · 2 / (|y_j| + k), a
    function of P(y_i = 1, |y| = s), so that the best set of size k has the k labels with the
    highest Δ_ik (Dembczyński et al. 2011; Waegeman et al. 2014, the general F-measure maximiser).
    Sizes grow until none can be better: no set of size k or more has more than Σ_i Δ_ik.

    # Parameters

    draws : 0 or 1, `(rows, num_draws, labels)`.
    weights : their weights, which sum to 1, `(rows, num_draws)`.
    """
    rows, _, labels = draws.shape
    if not rows:
        return draws[:, 0].bool()
    size = draws.sum(2)
    best = (weights * (size == 0)).sum(1)  # of the empty set
    chosen = torch.zeros_like(draws[:, 0], dtype=torch.bool)
    tolerance = _TOLERANCE if draws.dtype == torch.float64 else _TOLERANCE_IN_SINGLE
    for first in range(1, labels + 1, _SIZES_AT_ONCE):
        last = min(first + _SIZES_AT_ONCE - 1, labels)
        k = torch.arange(first, last + 1, dtype=draws.dtype, device=draws.device)
        shares = 2 * weights.unsqueeze(2) / (size.unsqueeze(2) + k)  # (rows, num_draws, sizes)
        if bool(((size * shares[:, :, 0]).sum(1) <= best).all()):
            break
        delta = draws.transpose(1, 2) @ shares  # (rows, labels, sizes)
        highest = delta.topk(last, dim=1).values.cumsum(1)
        places = torch.arange(last - first + 1, device=draws.device)
        values = highest[:, places + first - 1, places]
        at = first_highest(values, tolerance)
        row = torch.arange(rows, device=draws.device)
        better = values[row, at] > best + tolerance
        sets = top(delta[row, :, at], at + first)
        chosen = torch.where(better.unsqueeze(1), sets, chosen)
        best = torch.where(better, values[row, at], best)
    return chosen


@Decoder.register("expected-f1-of-draws")
class ExpectedF1OfDrawsDecoder(WeightedDrawsDecoder):
    """The set of labels with the highest expected F1 under weighted draws, exactly.

    The labels need not be independent: by their weights, see `WeightedDrawsDecoder`, the draws are
    a sample of a distribution with the score. The best set comes from estimates of
    P(y_i = 1, |y| = s) (Waegeman et al. 2014).
    """

    def rule(self, prediction: Prediction) -> Rule:
        draws, weights = self.draws_of(prediction).flatten(2), self.weigh(prediction)

        def decode(at: Parameters) -> torch.Tensor:
            chosen = maximise_expected_f1_of_draws(draws, weights(at))
            return chosen.view_as(prediction.probabilities)

        return decode
