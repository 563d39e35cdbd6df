"""The registered components of this package: tests, AllenNLP and plug-ins register others."""

import inspect


def needs_vocabulary(kind):
    """Return whether a component is made from a vocabulary, such as metrics of each label."""
    return "vocab" in inspect.signature(kind).parameters


def names_of(base):
    """Return the names under which our components of a base are registered."""
    return [
        name
        for name in base.list_available()
        if base.by_name(name).__module__.startswith("structured_energy.")
    ]
