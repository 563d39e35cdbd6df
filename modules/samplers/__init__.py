"""Samplers, which propose outputs y for an input x."""

from .appending_container import AppendingContainer
from .constrained import ConstrainedSampler
from .containers import BestOfContainer, RandomPickingContainer
from .cost_augmented_network import CostAugmentedNetwork
from .exact import ExactSampler
from .gibbs_with_gradients import GibbsWithGradientsSampler
from .gradient_based_inference import GradientBasedInferenceSampler
from .ground_truth import GroundTruthSampler
from .inference_network import InferenceNetworkSampler
from .iterative import IterativeSampler
from .langevin import LangevinSampler
from .likely_subsets import LikelySubsetsSampler
from .mean_over_crops import MeanOverCropsSampler
from .most_probable import MostProbableSampler
from .network_draws import NetworkDrawsSampler
from .output_optimizers import (
    EntropicMirrorDescent,
    LogitsGradient,
    OptimizerState,
    OutputOptimizer,
    ProjectedGradient,
    WrappedOptimizer,
)
from .perturbed_truth import PerturbedTruthSampler
from .random import RandomSampler, UniformSampler
from .replay_buffer import ReplayBuffer
from .sampler import NanScoreError, Sampler
from .selection import best_sample, scores_of
from .tempered_draws import TemperedDrawsSampler

__all__ = [
    "AppendingContainer",
    "BestOfContainer",
    "ConstrainedSampler",
    "CostAugmentedNetwork",
    "EntropicMirrorDescent",
    "ExactSampler",
    "GibbsWithGradientsSampler",
    "GradientBasedInferenceSampler",
    "GroundTruthSampler",
    "InferenceNetworkSampler",
    "IterativeSampler",
    "LangevinSampler",
    "LikelySubsetsSampler",
    "LogitsGradient",
    "MeanOverCropsSampler",
    "MostProbableSampler",
    "NanScoreError",
    "NetworkDrawsSampler",
    "OptimizerState",
    "OutputOptimizer",
    "PerturbedTruthSampler",
    "ProjectedGradient",
    "RandomPickingContainer",
    "RandomSampler",
    "ReplayBuffer",
    "Sampler",
    "TemperedDrawsSampler",
    "UniformSampler",
    "WrappedOptimizer",
    "best_sample",
    "scores_of",
]
