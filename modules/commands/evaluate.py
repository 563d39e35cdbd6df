"""`allennlp evaluate`: the metrics as a table."""

from typing import Any, Dict

from ..compatibility import print_metrics_with
from ..reporting import metric_rows, show


def _show(metrics: Dict[str, Any]) -> None:
    show(metric_rows({"value": metrics}))


print_metrics_with(_show)
