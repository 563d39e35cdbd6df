"""The metrics of `allennlp evaluate` on stdout."""

import functools
import json
import sys
from typing import Any, Callable, Dict, Optional

from allennlp.commands import evaluate
from allennlp.common.util import sanitize

from .console import is_command

STDOUT = "-"  # the --output-file of JSON on stdout


def print_metrics_with(show: Callable[[Dict[str, Any]], None]) -> None:
    """`allennlp evaluate` wrote its metrics to a file, or nowhere. Print them by `show`; with
    `--output-file -` as JSON, and nothing else. A program that calls AllenNLP's function sees no
    difference."""
    original = evaluate.evaluate_from_archive

    @functools.wraps(original)
    def evaluate_from_archive(
        archive_file: Any,
        input_file: str,
        metrics_output_file: Optional[str] = None,
        *arguments: Any,
        **settings: Any,
    ) -> Dict[str, Any]:
        if not is_command():
            return original(archive_file, input_file, metrics_output_file, *arguments, **settings)
        as_json = metrics_output_file == STDOUT
        file = None if as_json else metrics_output_file
        metrics = original(archive_file, input_file, file, *arguments, **settings)
        if as_json:
            sys.stdout.write(json.dumps(sanitize(metrics), indent=2) + "\n")
        else:
            sys.stdout.write(f"{archive_file} on {input_file}:\n")
            show(metrics)
        return metrics

    evaluate.evaluate_from_archive = evaluate_from_archive
