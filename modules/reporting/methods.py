"""Methods: the runs of one config with different seeds."""

import os
import re
from typing import Dict, List, NamedTuple, Sequence

from .run import Run


class Method(NamedTuple):
    """The runs of one config on the same data, each with its own seed."""

    name: str
    runs: List[Run]

    def values(self, part: str, metric: str) -> List[float]:
        """Return the metric of each run that has it."""
        values = (run.metrics[part].get(metric) for run in self.runs)
        return [value for value in values if value is not None]


def methods_of(runs: Sequence[Run]) -> List[Method]:
    """Return the runs grouped by their configs without seeds.

    A method has the part of the names of its folders that no other method has:
    `runs/bibtex/spen/seed_0` and `runs/bibtex/spen/seed_1` beside `runs/bibtex/dvn/seed_0` are the
    methods `spen` and `dvn`. With another decoder a method is another, such as `spen [relative]`.
    """
    groups: Dict[str, List[Run]] = {}
    for run in runs:
        groups.setdefault(run.digest, []).append(run)
    folders = [[str(run.folder.resolve()) for run in group] for group in groups.values()]
    decoders = [group[0].chosen_by for group in groups.values()]
    stems = list(zip(map(_stem, folders), decoders, strict=True))
    paths = [
        stem[0] if stems.count(stem) == 1 else group[0]
        for stem, group in zip(stems, folders, strict=True)
    ]
    several = len(set(paths)) > 1
    above = os.path.commonpath(paths) if several else os.path.dirname(paths[0])
    return [
        Method(os.path.relpath(path, above) + (f" [{decoder}]" if decoder else ""), group)
        for path, decoder, group in zip(paths, decoders, groups.values(), strict=True)
    ]


def _stem(folders: List[str]) -> str:
    """Return the common prefix of the folders of runs, without their seeds.

    >>> _stem(["/runs/spen/seed_0", "/runs/spen/seed_1"]), _stem(["/runs/spen-3"])
    ('/runs/spen', '/runs/spen')
    """
    common = folders[0] if len(folders) == 1 else os.path.commonprefix(folders)
    return re.sub(r"[/_.-]+(seed)?[/_.-]*\d*$", "", common)
