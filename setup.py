"""Packaging: `modules/` is the package directory of `structured_energy`."""

from setuptools import find_packages, setup

setup(
    package_dir={"structured_energy": "modules"},
    packages=["structured_energy"]
    + [f"structured_energy.{name}" for name in find_packages("modules")],
    package_data={
        "structured_energy": [
            "py.typed",
            "reporting/report.html",
            "configs/structured_energy/*.libsonnet",
            "configs/structured_energy/*.json",
        ]
    },
)
