"""From a path to the inspection of its kind of data, and the parts of a data set."""

import os
import re
from pathlib import Path
from typing import Dict, List

from .found import Found, Options
from .images import inspect_images, is_images
from .tables import inspect_arff, inspect_table, is_table
from .tags import inspect_tags
from .trees import inspect_trees

# The parts of a data set by the names of their files, in the order in which they are looked for.
_PARTS = {
    "validation": re.compile(r"(?<![a-z])(validation|valid|val|dev|development)(?![a-z])", re.I),
    "test": re.compile(r"(?<![a-z])(test|eval)(?![a-z])", re.I),
    "train": re.compile(r"(?<![a-z])(train|training)(?![a-z])", re.I),
}
_BESIDE = (".xml", ".md", ".json", ".jsonnet")  # no data


def inspect_path(path: str, options: Options) -> Found:
    """Return what a file or a folder of data has.

    # Raises

    `ValueError` for data of no kind that a reader reads, and where something about them cannot be
    told.
    """
    if is_images(path):
        return inspect_images(path, options)
    if os.path.isdir(path):
        raise ValueError(
            f"{path}: expected a file, or a folder with the folders 'images' and 'masks', or with "
            "files named train, validation and test, got another folder."
        )
    if options.trees:
        return inspect_trees(path)
    if path.endswith(".arff"):
        return inspect_arff(path, options)
    if is_table(path):
        return inspect_table(path, options)
    if Path(path).suffix.lower() in (".xlsx", ".xls", ".pkl", ".pickle", ".zip", ".gz", ".json"):
        raise ValueError(
            f"{path}: expected ARFF, CSV, TSV, JSON lines (.jsonl), Parquet, .npz, svmlight, "
            f"CoNLL, CoNLL-U or a folder of images and masks, got {Path(path).suffix}; save the "
            "data as one of these."
        )
    return inspect_tags(path, options)


def parts_of(path: str) -> Dict[str, str]:
    """Return the paths of `train`, and of `validation` and `test` where a folder has them.

    # Raises

    `ValueError` for a path that does not exist, and for a folder without training data.
    """
    if not os.path.exists(path):
        raise ValueError(f"{path}: expected a file or a folder of data, got none.")
    if not os.path.isdir(path) or is_images(path):
        return {"train": path}
    found: Dict[str, List[str]] = {}
    files = sorted(
        str(file)
        for file in Path(path).iterdir()
        if not file.name.startswith(".")
        and file.suffix.lower() not in _BESIDE
        and (file.is_file() or is_images(str(file)))
    )
    for file in files:
        part = next((part for part, form in _PARTS.items() if form.search(Path(file).name)), None)
        if part is not None:
            found.setdefault(part, []).append(file)
    if not found and len(files) == 1:
        return {"train": files[0]}
    several = next((names for names in found.values() if len(names) > 1), None)
    if several is not None or "train" not in found:
        got = ", ".join(os.path.basename(file) for file in several or files) or "none"
        raise ValueError(
            f"{path}: expected one file named train, and at most one named validation and one "
            f"named test, got {got}; name the training file itself."
        )
    return {part: found[part][0] for part in ("train", "validation", "test") if part in found}
