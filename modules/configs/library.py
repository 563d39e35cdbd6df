"""The library of configs, and Jsonnet with the library on its search path.

`import 'structured_energy/methods.libsonnet'` works in a config in any folder: Jsonnet looks beside
the config first, then in the library.
"""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional

import _jsonnet

from .words import nearest

# Imports start with the name of the folder in it, `structured_energy`.
_SEARCH_PATH = Path(__file__).resolve().parent
LIBRARY = _SEARCH_PATH / "structured_energy"
_MISSING = re.compile(r'couldn\'t open import "(?P<name>[^"]*)"')
_PLACE = re.compile(r"^\s*(?P<file>\S.*?):(?P<line>\(?\d+)[:-]")
_SAID = "RUNTIME ERROR: "
_NO_FIELD = re.compile(rf"{_SAID}field does not exist: (?P<name>.*)")


def evaluate_file(filename: Any, ext_vars: Optional[Dict[str, str]] = None) -> str:
    """Return the JSON of a Jsonnet file, whose imports may name files of the library.

    >>> import json, tempfile
    >>> config = Path(tempfile.mkdtemp()) / "config.jsonnet"
    >>> _ = config.write_text("(import 'structured_energy/search_spaces.libsonnet').seal_ranking")
    >>> sorted(json.loads(evaluate_file(config)))
    ['dropout', 'lr', 'patterns', 'score_lr', 'score_weight', 'weight_decay']

    # Raises

    `RuntimeError`, Jsonnet's own, for an error in the file.
    """
    settings = {"jpathdir": [str(_SEARCH_PATH)], "ext_vars": ext_vars or {}}
    return _jsonnet.evaluate_file(str(filename), **settings)


def evaluate_snippet(filename: str, text: str, ext_vars: Optional[Dict[str, str]] = None) -> str:
    """Return the JSON of a Jsonnet text, whose imports may name files of the library.

    # Raises

    `RuntimeError`, Jsonnet's own, for an error in the text.
    """
    settings = {"jpathdir": [str(_SEARCH_PATH)], "ext_vars": ext_vars or {}}
    return _jsonnet.evaluate_snippet(filename, text, **settings)


def library_files() -> List[str]:
    """Return the files of the library by the names that configs import."""
    files = LIBRARY.glob("*.libsonnet")
    return sorted(f"{LIBRARY.name}/{path.name}" for path in files)


def describe(error: RuntimeError, filename: str) -> str:
    """Return an error of Jsonnet as one sentence that names the file and line at fault."""
    lines = str(error).splitlines()
    place = next((match for line in lines[1:] if (match := _PLACE.match(line))), None)
    where = f"{place['file']}, line {place['line'].lstrip('(')}" if place else str(filename)
    missing = _MISSING.search(lines[0])
    if missing:
        files = library_files()
        name = missing["name"]
        hint = nearest(name, files) or f"the library has {', '.join(files)}."
        return (
            f"{where}: expected an import of a file beside the config or of the library, got "
            f"'{name}', which is neither; {hint}"
        )
    absent = _NO_FIELD.match(lines[0])
    if absent:
        name = absent["name"]
        hint = nearest(name, _names()) or "see 'allennlp methods' for those of the library."
        return (
            f"{where}: expected a name that exists, such as that of a method, got '{name}'; {hint}"
        )
    if lines[0].startswith(f"{_SAID}Expected "):  # an `error` of the library
        return f"{filename}: e{lines[0][len(_SAID) + 1 :]}"
    shown = " ".join(line.strip() for line in lines[:2])
    return f"Expected a config in Jsonnet in {filename}, got {shown}"


def _names() -> List[str]:
    """Return the names in the files of the library: methods, data sets and keys of tables."""
    files = ", ".join(f"import '{file}'" for file in library_files())
    # One evaluation, for each reads the files again that it imports.
    fields = f"[std.objectFields(x) for x in [{files}] if std.isObject(x)]"
    return [name for names in json.loads(evaluate_snippet("names", fields)) for name in names]
