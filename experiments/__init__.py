"""Inference errors and tuning on the published data: `python -m experiments.tune`."""
