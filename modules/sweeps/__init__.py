"""Trainings of a config over seeds, methods and hyper-parameters."""

from .config_file import ConfigFile
from .jobs import Job, Jobs, Outcome
from .search_space import Space, default_space, read_space
from .sweep import jobs_of, sweep
from .tuning import SAMPLERS, Best, Settings, Tuning
from .worker import train_config

__all__ = [
    "Best",
    "ConfigFile",
    "Job",
    "Jobs",
    "Outcome",
    "SAMPLERS",
    "Settings",
    "Space",
    "Tuning",
    "default_space",
    "jobs_of",
    "read_space",
    "sweep",
    "train_config",
]
