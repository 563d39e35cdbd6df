"""Fixtures for all tests."""

import logging

import pytest

pytest_plugins = ["structured_energy.testing.fixtures"]


@pytest.fixture(autouse=True)
def _log_lines():
    """Restore the level below which scripts that measure turn off all log lines."""
    level = logging.root.manager.disable
    yield
    logging.disable(level)


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
