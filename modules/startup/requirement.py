"""The one requirement that pip cannot install with this package: AllenNLP, whose caps are stale."""

import os
import sys
from importlib.util import find_spec

COMMAND = "pip install --no-deps allennlp==2.10.1"
# The names that sys.argv[0] has while a command of this package is imported.
_COMMANDS = ("-m", "structured-energy")


def require_allennlp() -> None:
    """Check that AllenNLP is installed.

    # Raises

    `ImportError` in a program and `SystemExit` in a command, with the command that installs it.
    """
    if "allennlp" in sys.modules or find_spec("allennlp") is not None:
        return
    message = f"Expected AllenNLP 2.10.1 beside structured-energy, got none; run: {COMMAND}"
    if os.path.basename(sys.argv[0]) in _COMMANDS:
        raise SystemExit(message)
    raise ImportError(message)
