"""The commands of `allennlp` under a name that pip installs: `structured-energy train …`.

`python -m structured_energy train …` is the same.
"""

from allennlp.__main__ import run as run_command

from .compatibility import say_errors_in_one_sentence
from .compatibility.console import quiet_handlers


def run() -> None:
    """Run the command that the command line names."""
    quiet_handlers()
    say_errors_in_one_sentence()
    run_command()


if __name__ == "__main__":
    run()
