"""The registered components of this package: tests, AllenNLP and plug-ins register others."""


def names_of(base):
    """Return the names under which our components of a base are registered."""
    return [
        name
        for name in base.list_available()
        if base.by_name(name).__module__.startswith("structured_energy.")
    ]
