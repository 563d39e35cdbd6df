"""Training: networks in turns."""

from .joint_optimizer import JointOptimizer, JointScheduler
from .minimax import MinimaxTrainer
from .schedule import NetworkSettings, Schedule

__all__ = ["JointOptimizer", "JointScheduler", "MinimaxTrainer", "NetworkSettings", "Schedule"]
