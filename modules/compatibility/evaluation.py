"""The metrics of `allennlp evaluate` on stdout."""

import functools
import json
import sys
from typing import Any, Callable, Dict, Optional

from allennlp.commands import evaluate
from allennlp.common.util import sanitize

from .console import is_command

STDOUT = "-"  # the --output-file that stands for JSON on stdout

_evaluate_from_archive = evaluate.evaluate_from_archive
_load_archive = evaluate.load_archive


@functools.wraps(_load_archive)
def load_archive(*arguments: Any, **settings: Any) -> Any:
    """Return an archive whose readers know the model's vocabulary, where they ask for it by
    `for_model`."""
    archive = _load_archive(*arguments, **settings)
    readers = {
        name: getattr(archive, name).for_model(archive.model.vocab)
        for name in ("dataset_reader", "validation_dataset_reader")
        if hasattr(getattr(archive, name), "for_model")
    }
    return archive._replace(**readers)


class Evaluation:
    """AllenNLP's `evaluate_from_archive`, which prints the metrics in the command `evaluate`.

    A program that calls the function sees no difference.

    # Parameters

    show : `Callable[[Dict[str, Any]], None]`
        Prints metrics on stdout.
    """

    def __init__(self, show: Callable[[Dict[str, Any]], None]) -> None:
        self.show = show

    def __call__(
        self,
        archive_file: Any,
        input_file: str,
        metrics_output_file: Optional[str] = None,
        *arguments: Any,
        **settings: Any,
    ) -> Dict[str, Any]:
        """Return the metrics, and print them in the command; as JSON with `--output-file -`."""
        as_json = is_command() and metrics_output_file == STDOUT
        file = None if as_json else metrics_output_file
        metrics = _evaluate_from_archive(archive_file, input_file, file, *arguments, **settings)
        if as_json:
            print_json(metrics)
        elif is_command():
            sys.stdout.write(f"{archive_file} on {input_file}:\n")
            self.show(metrics)
        return metrics


def print_json(metrics: Dict[str, Any]) -> None:
    """Print metrics as JSON on stdout."""
    sys.stdout.write(json.dumps(sanitize(metrics), indent=2) + "\n")


evaluate_from_archive = Evaluation(show=print_json)


def print_metrics_with(show: Callable[[Dict[str, Any]], None]) -> None:
    """Print the metrics of `allennlp evaluate` with `show`."""
    evaluate_from_archive.show = show
