"""The base of losses that use the score network."""

from typing import ClassVar, Optional, Tuple

from ..logging import LoggedMean
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction


class ScoreNetworkLoss(Loss):
    """A loss that uses the score network s(x, y).

    A subclass fills `compute` and names the means that it logs in `logged_means`.

    # Parameters

    score_network : `ScoreNetwork`
        s(x, y), which belongs to the model.
    reduction : `"mean"`, `"sum"` or `"none"`
        The reduction over the batch and the samples.
    log_key : `str`, optional
        The name in the tree of logged values.
    """

    score_network: ScoreNetwork
    logged_means: ClassVar[Tuple[str, ...]] = ()
    """The keys of the means that `compute` logs, besides `value`."""

    def __init__(
        self,
        score_network: ScoreNetwork,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        self.score_network = score_network
        for key in self.logged_means:
            self.logging_buffer[key] = LoggedMean()
