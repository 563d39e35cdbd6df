"""Packaging: `modules/` is the package directory of `structured_energy`."""

import os
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

# The hook for the import of AllenNLP, which belongs into the folder of installed packages.
HOOK = [Path("modules", "startup", f"structured_energy_hook.{kind}") for kind in ("py", "pth")]


class BuildWithHook(build_py):
    """Puts the files of the hook beside the package in a wheel."""

    def run(self):
        """Build the package and copy the files; an editable wheel has no folder for them."""
        super().run()
        if not self.editable_mode:
            for path in HOOK:
                self.copy_file(str(path), os.path.join(self.build_lib, path.name))

    def get_outputs(self, include_bytecode=True):
        """Return the files of the package and of the hook."""
        outputs = super().get_outputs(include_bytecode)
        if self.editable_mode:
            return outputs
        return outputs + [os.path.join(self.build_lib, path.name) for path in HOOK]


class EditableWithHook(editable_wheel):
    """Puts the files of the hook into an editable wheel."""

    def _select_strategy(self, name, tag, build_lib):
        return StrategyWithHook(super()._select_strategy(name, tag, build_lib))


class StrategyWithHook:
    """setuptools' way to fill an editable wheel, and the files of the hook."""

    def __init__(self, strategy):
        self.strategy = strategy

    def __enter__(self):
        self.strategy.__enter__()
        return self

    def __exit__(self, *error):
        return self.strategy.__exit__(*error)

    def __call__(self, wheel, files, mapping):
        """Fill the wheel."""
        self.strategy(wheel, files, mapping)
        for path in HOOK:
            wheel.write(str(path), path.name)


setup(
    package_dir={"structured_energy": "modules"},
    packages=["structured_energy", "structured_energy.configs.structured_energy"]
    + [f"structured_energy.{name}" for name in find_packages("modules")],
    package_data={
        "structured_energy": [
            "py.typed",
            "startup/structured_energy_hook.pth",
            "reporting/report.html",
        ],
        # The library of configs, a folder without Python.
        "structured_energy.configs.structured_energy": ["*.libsonnet", "*.json"],
    },
    cmdclass={"build_py": BuildWithHook, "editable_wheel": EditableWithHook},
)
