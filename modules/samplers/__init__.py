"""Samplers: what proposes outputs y for an input x."""

from .appending_container import AppendingContainer
from .cost_augmented_network import CostAugmentedNetwork
from .ground_truth import GroundTruthSampler
from .inference_network import InferenceNetworkSampler
from .sampler import Sampler

__all__ = [
    "AppendingContainer",
    "CostAugmentedNetwork",
    "GroundTruthSampler",
    "InferenceNetworkSampler",
    "Sampler",
]
