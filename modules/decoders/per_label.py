"""A threshold for each label."""

from typing import Dict, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..metrics import MacroF1, Sums
from ..output_spaces import OutputSpace
from ..vocabulary import names
from .cuts import ThresholdDecoder
from .decoder import Curve, Decoder, Observation, Prediction


@Decoder.register("per-label")
class PerLabelDecoder(Decoder):
    """Label i is on where p_i > t_i, with t_i = (n_i · b_i + κ · t) / (n_i + κ).

    b_i is the threshold that is best for the F1 of label i (Lipton et al. 2014), t the common one
    that is best for the metric, and n_i the number of observed instances with label i: the
    thresholds of rare labels, which would fit the noise, shrink towards the common one. Of
    candidates that are equally good for a label, the nearest to t is taken. In a taxonomy the
    labels below i are fitted before, since i is on where one of them is.

    # Parameters

    shrinkage : `float`
        κ, at least 0; with κ = 0 each label has its own best threshold.
    metric : `Metric`, optional
        The metric for which the common threshold is best.
    candidates : `int`
        The grid of thresholds is i / (candidates + 1) for i = 1 … candidates.
    """

    thresholds: torch.Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        shrinkage: float = 10.0,
        metric: Optional[Metric] = None,
        candidates: int = 99,
    ) -> None:
        super().__init__(output_space, metric)
        if shrinkage < 0:
            raise ConfigurationError(
                f"Expected a shrinkage of at least 0 in the decoder 'per-label', got {shrinkage:g}."
            )
        self.shrinkage = shrinkage
        self.common = ThresholdDecoder(output_space, None, metric, candidates)
        count = len(names(vocab, "labels"))
        self.register_buffer("thresholds", torch.full((count,), 0.5))

    def decode(self, prediction: Prediction) -> torch.Tensor:
        self._check(prediction)
        return self.output_space.complete(prediction.probabilities > self.thresholds)

    def fit(self, observations: List[Observation]) -> None:
        if not observations:
            return
        self.common.fit(observations)
        own = torch.eye(len(self.thresholds), dtype=torch.bool, device=self.thresholds.device)
        depth = self.output_space.complete(own).sum(1)
        # A label that is on brings its ancestors, so that the lowest labels come first.
        for level in depth.unique().flip(0):
            fitted = self._fitted(observations, depth > level)
            self.thresholds.copy_(torch.where(depth == level, fitted, self.thresholds))

    def _fitted(self, observations: List[Observation], lower: torch.Tensor) -> torch.Tensor:
        """Return the threshold of each label, by outputs in which the `lower` labels are on by
        their thresholds, with their ancestors."""
        metric, candidates = MacroF1(), self.common.grid["threshold"]
        total: Sums = {}
        for prediction, labels, mask in observations:
            self._check(prediction)
            p = prediction.probabilities
            brought = self.output_space.complete((p > self.thresholds) & lower)
            measure = p.masked_fill(brought, torch.inf)
            sums = metric.sums_at(p, measure, labels, candidates, mask)
            known = labels if mask is None else labels & mask
            sums["true"] = known.sum(0)
            total = {key: total[key] + sums[key] for key in sums} if total else sums
        total = metric.over_all_workers(total)
        f1 = 2 * total["shared"].double() / total["mass"].clamp(min=1)
        grid = torch.tensor(candidates, device=f1.device)
        steps = (grid - self.common.threshold).abs().unsqueeze(1)
        ties = f1 >= f1.amax(0) - 1e-12
        best = grid[steps.masked_fill(~ties, torch.inf).argmin(0)]
        count = total["true"]
        weighted = count * best + self.shrinkage * self.common.threshold
        shrunk = weighted / (count + self.shrinkage)
        # Without shrinkage and without an instance of the label, there is nothing to go by.
        never = count + self.shrinkage == 0
        return torch.where(never, self.common.threshold, shrunk)

    def fitted_values(self) -> Dict[str, float]:
        return {
            "threshold": float(self.common.threshold),
            "lowest_threshold": float(self.thresholds.min()),
            "highest_threshold": float(self.thresholds.max()),
        }

    def curves(self, observations: List[Observation]) -> List[Curve]:
        return self.common.curves(observations)

    def _check(self, prediction: Prediction) -> None:
        if prediction.probabilities.shape[1:] != self.thresholds.shape:
            raise ValueError(
                f"Expected probabilities (batch, {len(self.thresholds)}) in the decoder "
                f"'per-label', one for each label, got {tuple(prediction.probabilities.shape)}; it "
                "serves for sets of labels only."
            )
