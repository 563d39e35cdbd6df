"""Training of several networks in turns, with checkpoints that resume bit for bit."""

from ..compatibility import callbacks_of
from .fused_adamw import FusedAdamW
from .joint_optimizer import JointOptimizer, JointScheduler
from .minimax import MinimaxTrainer
from .nan_loss import NanLossError
from .schedule import NetworkSettings, Schedule

__all__ = [
    "FusedAdamW",
    "JointOptimizer",
    "JointScheduler",
    "MinimaxTrainer",
    "NanLossError",
    "NetworkSettings",
    "Schedule",
    "callbacks_of",
]
