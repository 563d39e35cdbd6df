"""Results on the published data sets: `python -m experiments.results` from the repository."""
