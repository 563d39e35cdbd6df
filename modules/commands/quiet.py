"""The log of AllenNLP in commands that read a finished run."""

import logging


def hide_parameters() -> None:
    """Stop logging each parameter that is read: the log of the run has them."""
    logging.getLogger("allennlp.common.params").setLevel(logging.WARNING)
