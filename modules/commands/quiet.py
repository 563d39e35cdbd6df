"""What AllenNLP says while it builds what a run is made of."""

import logging


def without_parameters() -> None:
    """From here on the parameters that are read are not told one by one: they are those of a run
    that has said them."""
    logging.getLogger("allennlp.common.params").setLevel(logging.WARNING)
