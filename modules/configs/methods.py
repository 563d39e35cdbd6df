"""The configs of the methods of the library."""

import json
import re
from typing import Any, Dict, List, Optional

from allennlp.common.checks import ConfigurationError

from .library import describe, evaluate_snippet
from .method_table import DATA_SETS, METHODS, TITLES, Method
from .words import nearest

__all__ = ["DATA_SETS", "METHODS", "TITLES", "Method"]


def tasks_of(method: str) -> List[str]:
    """Return the tasks that have a method.

    >>> tasks_of("crf")
    ['tagging', 'parsing', 'hierarchical']

    # Raises

    `ConfigurationError` for an unknown method, with the most similar one.
    """
    tasks = [task for task, methods in METHODS.items() if method in [m.name for m in methods]]
    if not tasks:
        names = list(dict.fromkeys(m.name for methods in METHODS.values() for m in methods))
        hint = nearest(method, names) or f"the methods are {', '.join(names)}."
        raise ConfigurationError(f"Expected the name of a method, got '{method}'; {hint}")
    return tasks


def same_as(task: str) -> Optional[str]:
    """Return the earlier task that has the same methods, if there is one.

    >>> same_as("multi_label_text"), same_as("tagging")
    ('multi_label', None)
    """
    first = next(each for each, methods in METHODS.items() if methods == METHODS[task])
    return None if first == task else first


def check_method(task: str, method: str) -> None:
    """Raise `ConfigurationError` for a task that is unknown or that lacks the method."""
    if task not in METHODS:
        raise ConfigurationError(f"Expected a task among {', '.join(METHODS)}, got '{task}'.")
    if task not in tasks_of(method):
        names = ", ".join(each.name for each in METHODS[task])
        raise ConfigurationError(
            f"Expected a method of the task {task}, one of {names}, got '{method}'."
        )


def config_of(task: str, method: str, table: Dict[str, Any]) -> Dict[str, Any]:
    """Return the config of a method for the table of a data set.

    >>> config_of("tagging", "crf", {"train": "train.conll"})["model"]["loss"]
    'exact-likelihood'

    # Raises

    `ConfigurationError` for an unknown task, method or key of the table, with a suggestion.
    """
    check_method(task, method)
    text = f"(import 'structured_energy/{task}.libsonnet').{method}({json.dumps(table)})"
    return _evaluated(text, f"the table for {method}")


def config_for(task: str, method: str, data_set: Optional[str] = None) -> Dict[str, Any]:
    """Return the config of a method for a data set of the library, by default the one that stands
    for the task.

    # Raises

    `ConfigurationError` for an unknown task, method or data set.
    """
    check_method(task, method)
    file, default = DATA_SETS[task]
    known = data_sets_of(task)
    name = data_set or default
    if name not in known:
        raise ConfigurationError(
            f"Expected a data set of the task {task}, one of {', '.join(known)}, got '{name}'."
        )
    text = (
        f"(import 'structured_energy/{task}.libsonnet').{method}("
        f"(import 'structured_energy/{file}.libsonnet').{name})"
    )
    return _evaluated(text, name)


def data_sets_of(task: str) -> List[str]:
    """Return the data sets of a task that the library has."""
    file = DATA_SETS[task][0]
    return json.loads(
        evaluate_snippet("names", f"std.objectFields(import 'structured_energy/{file}.libsonnet')")
    )


def _evaluated(text: str, name: str) -> Dict[str, Any]:
    try:
        return json.loads(evaluate_snippet(name, text))
    except RuntimeError as error:
        message = describe(error, name)
        raise ConfigurationError(re.sub(r"^.*?: e", "E", message, count=1)) from error
