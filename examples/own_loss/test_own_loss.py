"""The suite that every loss of structured_energy passes, for this one."""

import own_loss  # noqa: F401  (registers the loss)

from structured_energy.testing import LossConformance


class TestSmoothedCrossEntropy(LossConformance):
    config = "{type: 'smoothed-cross-entropy', smoothing: 0.2}"
