"""`python -m structured_energy train …`: the command `allennlp`, prepared without the hook."""

import allennlp.__main__  # noqa: F401  (sets the log up)
from allennlp.commands import main
from allennlp.common.util import install_sigterm_handler

from .compatibility import say_errors_in_one_sentence
from .compatibility.console import quiet_handlers

if __name__ == "__main__":
    install_sigterm_handler()
    quiet_handlers()
    say_errors_in_one_sentence()
    main(prog="python -m structured_energy")
