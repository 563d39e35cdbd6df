"""`allennlp evaluate`: the metrics on stdout, as a table or as JSON."""

import functools
import json
import sys
from typing import Any, Dict, Optional

from allennlp.commands import evaluate
from allennlp.common.util import sanitize

from ..compatibility import is_command
from ..reporting import metric_rows, show

STDOUT = "-"  # the --output-file of JSON on stdout


def show_metrics() -> None:
    """`allennlp evaluate` wrote its metrics to a file, or nowhere. Print them as a table; with
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
            show(metric_rows({"value": metrics}))
        return metrics

    evaluate.evaluate_from_archive = evaluate_from_archive


show_metrics()
