"""What AllenNLP 2.10.1 needs to run on the current stack; imported with the package, applied once.

Each function mends one break where it is, and says which. Nothing else of a user's warnings or
behaviour is touched.
"""

import functools

from .arguments import mend_messages_of_arguments
from .checkpoints import mend_loading_of_checkpoints, mend_saving_of_checkpoints
from .commands import mend_dataset_reader_by_name, mend_find_learning_rate
from .console import mend_console
from .distributed import mend_evaluation_on_test
from .errors import mend_errors_of_commands, say_errors_in_one_sentence, sentence
from .evaluation import print_metrics_with
from .messages import mend_messages_of_configs, mend_trainer_keys
from .nodes import mend_several_nodes
from .overrides import mend_messages_of_overrides
from .progress import describe_with, mend_progress_bars
from .recovery import mend_length_of_schedules, mend_recovery
from .results import ResultCallback, mend_results
from .schedulers import ReduceOnPlateau
from .training import mend_automatic_mixed_precision, mend_moving_average, mend_wandb

__all__ = [
    "ReduceOnPlateau",
    "ResultCallback",
    "describe_with",
    "mend",
    "print_metrics_with",
    "say_errors_in_one_sentence",
    "sentence",
]


@functools.cache
def mend() -> None:
    """Applies all mends; a second call does nothing."""
    mend_automatic_mixed_precision()
    mend_loading_of_checkpoints()
    mend_saving_of_checkpoints()
    mend_moving_average()
    mend_wandb()
    mend_dataset_reader_by_name()
    mend_find_learning_rate()
    mend_evaluation_on_test()
    mend_several_nodes()
    mend_results()  # after those that it awaits
    mend_recovery()
    mend_length_of_schedules()
    mend_trainer_keys()
    mend_messages_of_configs()
    mend_messages_of_arguments()
    mend_messages_of_overrides()
    mend_errors_of_commands()
    mend_console()
    mend_progress_bars()


mend()
