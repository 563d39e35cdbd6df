"""The commands of `allennlp`, prepared without the hook: `python -m structured_energy train …`.

`structured-energy train …` is the same, a program that pip installs with this package.
"""

import sys

import allennlp.__main__  # noqa: F401  (sets the log up)
from allennlp.commands import main
from allennlp.common.util import install_sigterm_handler

from .compatibility import say_errors_in_one_sentence
from .compatibility.console import quiet_handlers


def run() -> None:
    """Run the command that the command line names."""
    install_sigterm_handler()
    quiet_handlers()
    say_errors_in_one_sentence()
    is_module = sys.argv[0].endswith("__main__.py")
    main(prog="python -m structured_energy" if is_module else "structured-energy")


if __name__ == "__main__":
    run()
