"""Fixtures for all tests."""

pytest_plugins = ["structured_energy.testing.fixtures"]
