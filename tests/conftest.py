"""Fixtures for all tests."""

import logging

import pytest
import torch

pytest_plugins = ["structured_energy.testing.fixtures"]


@pytest.fixture(autouse=True)
def _settings_of_the_process():
    """Restore what scripts that measure, and commands that a test calls, set for their process."""
    disabled, level, threads = (
        logging.root.manager.disable,
        logging.root.level,
        torch.get_num_threads(),
    )
    yield
    logging.disable(disabled)
    logging.root.setLevel(level)
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def wandb_environment(tmp_path_factory):
    """wandb writes to temporary folders, asks nobody, and leaves no process behind."""
    import wandb

    with pytest.MonkeyPatch.context() as patch:
        for name in ("API_KEY", "MODE", "PROJECT", "RUN_ID"):
            patch.delenv(f"WANDB_{name}", raising=False)
        for name in ("CACHE", "CONFIG", "DATA"):
            patch.setenv(f"WANDB_{name}_DIR", str(tmp_path_factory.mktemp(name)))
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        patch.setenv("WANDB_X_DISABLE_STATS", "true")
        patch.setenv("WANDB_SILENT", "true")
        yield
        wandb.teardown()
