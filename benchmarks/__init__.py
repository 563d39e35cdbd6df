"""Measurements of speed and memory; run one from the repository: `python -m benchmarks.growth`."""
