"""Labels that are the terms of a taxonomy in a file."""

from typing import Optional

import numpy as np

from ...configs.words import nearest
from ...taxonomy import Taxonomy
from .memory import Table
from .raw import Labels


def in_taxonomy(labels: Labels, table: Table, path: Optional[str]) -> Labels:
    """Return labels of all terms of the taxonomy in a file, closed under ancestors; without a file,
    the labels as they are.

    # Raises

    `ValueError` for a label that is no term, with the file and line of a row that has it.
    """
    if path is None:
        return labels
    taxonomy = Taxonomy.from_file(path)
    for place, name in enumerate(labels.names):
        if name not in taxonomy.places:
            row = next((row for row, on in enumerate(labels.on) if place in on), None)
            at = "" if row is None else f", {table.place} {table.lines[row]}"
            raise ValueError(
                f"{table.source}{at}: expected labels that are terms of the taxonomy {path}, such "
                f"as '{taxonomy.terms[-1][:40]}', got '{name[:40]}'; "
                f"{nearest(name, taxonomy.terms) or 'correct it, or add it there.'}"
            )
    places = np.array([taxonomy.places[name] for name in labels.names], dtype=np.int64)
    on = [taxonomy.close(places[row]) for row in labels.on]
    unknown = [
        np.setdiff1d(places[row], closed) for row, closed in zip(labels.unknown, on, strict=True)
    ]
    return Labels(list(taxonomy.terms), on, unknown, taxonomy=taxonomy.entries())
