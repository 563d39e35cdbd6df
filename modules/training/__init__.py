"""Training: networks in turns."""

from .fused_adamw import FusedAdamW
from .joint_optimizer import JointOptimizer, JointScheduler
from .minimax import MinimaxTrainer
from .nan_loss import NanLoss
from .schedule import NetworkSettings, Schedule

__all__ = [
    "FusedAdamW",
    "JointOptimizer",
    "JointScheduler",
    "MinimaxTrainer",
    "NanLoss",
    "NetworkSettings",
    "Schedule",
]
