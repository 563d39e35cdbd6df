"""Small files of data, from which a model can learn."""

import random
from pathlib import Path
from typing import List, Tuple

import numpy as np
import torch

from ..taxonomy import Taxonomy

FEATURES = [f"feature_{i}" for i in range(5)]
LABELS = [f"label_{i}" for i in range(4)]
PARENTS = {"tree": [[], [0], [0], [1]], "dag": [[], [], [0, 1], [0]]}


def write_arff(directory: Path, name: str, rows: int, seed: int = 0) -> Path:
    """Write a learnable ARFF file of the features and labels, with Mulan's XML beside it."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, len(FEATURES), generator=generator)
    weights = torch.randn(len(FEATURES), len(LABELS), generator=torch.Generator().manual_seed(13))
    labels = (x @ weights > 0).int()
    lines = ["@relation problem", *(f"@attribute {name} numeric" for name in FEATURES)]
    lines += [f"@attribute {name} {{0,1}}" for name in LABELS]
    lines.append("@data")
    for features, on in zip(x.tolist(), labels.tolist(), strict=True):
        lines.append(",".join([*(f"{value:.4f}" for value in features), *map(str, on)]))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"problem-{name}.arff"
    path.write_text("\n".join(lines) + "\n")
    names = "".join(f'<label name="{name}"></label>' for name in LABELS)
    (directory / "problem.xml").write_text(f"<labels>{names}</labels>")
    return path


def write_hierarchy(directory: Path, name: str, rows: int, seed: int = 0) -> Path:
    """Write a learnable ARFF file of Clus, of the tree of the labels in the problem `tree`."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, len(FEATURES), generator=generator)
    weights = torch.randn(len(FEATURES), len(LABELS), generator=torch.Generator().manual_seed(13))
    taxonomy = Taxonomy(LABELS, PARENTS["tree"])
    paths = [taxonomy.path(place) for place in range(len(LABELS))]
    lines = ["@relation problem", *(f"@attribute {name} numeric" for name in FEATURES)]
    lines += [f"@attribute class hierarchical {','.join(paths)}", "@data"]
    for features, on in zip(x.tolist(), (x @ weights > 0).tolist(), strict=True):
        terms = [path for path, is_on in zip(paths, on, strict=True) if is_on] or paths[:1]
        lines.append(",".join([*(f"{value:.4f}" for value in features), "@".join(terms)]))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"hierarchy-{name}.arff"
    path.write_text("\n".join(lines) + "\n")
    return path


def _arc(place: int, words: List[str]) -> Tuple[int, str]:
    """Return the head, from 1, and the relation of a word of `write_conllu`: its first verb is the
    root, which other words hang on, and an adjective hangs on the next word."""
    if place == 1:
        return 0, "root"
    if words[place] == "red" and place:
        return place + 2, "amod"
    return 2, {"dog": "obj", "she": "nsubj"}.get(words[place], "conj:and")


def write_conllu(directory: Path, name: str, sentences: int, seed: int = 0) -> Path:
    """Write a learnable CoNLL-U file: two predicates in each sentence, their senses and roles, and
    the dependency tree."""
    generator = random.Random(seed)
    parts = {"dog": "NOUN", "she": "PRON", "sees": "VERB", "red": "ADJ", "runs": "VERB"}
    lines = []
    for _ in range(sentences):
        words = [generator.choice(sorted(parts)) for _ in range(generator.randint(0, 5))]
        words = ["she", "sees", *words, "dog", "runs"]
        verbs = [1, len(words) - 1]
        for place, word in enumerate(words):
            sense = f"{word}.01" if place in verbs else "_"
            roles = [
                "V" if place == verb else "ARG0" if place == verb - 1 else "_" for verb in verbs
            ]
            head, relation = _arc(place, words)
            columns = [str(place + 1), word, word, parts[word], "_", "_", str(head), relation]
            columns += ["_", "_", sense, *roles]
            lines.append("\t".join(columns))
        lines.append("")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.conllu"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_chunks(directory: Path, name: str, sentences: int, seed: int = 0) -> Path:
    """Write a learnable file of words, parts of speech and chunks in BIO, as CoNLL-2000 has."""
    generator = random.Random(seed)
    chunks = [
        ("NP", [("the", "DT"), ("red", "JJ"), ("dog", "NN")]),
        ("NP", [("she", "PRP")]),
        ("VP", [("was", "VBD"), ("seen", "VBN")]),
        ("VP", [("runs", "VBZ")]),
        ("O", [(".", ".")]),
    ]
    lines = []
    for _ in range(sentences):
        for label, words in [*chunks, *generator.choices(chunks, k=generator.randint(0, 2))]:
            for place, (word, pos) in enumerate(words):
                tag = "O" if label == "O" else f"{'I' if place else 'B'}-{label}"
                lines.append(f"{word} {pos} {tag}")
        lines.append("")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


TEXT_WORDS = ["rain", "wind", "goal", "match", "vote", "law", "song", "film", "the", "of"]
TEXT_LABELS = ["weather", "sport", "politics", "culture"]


def write_texts(directory: Path, name: str, rows: int, seed: int = 0) -> Path:
    """Write a learnable TSV file of texts, indices into the file `labels.txt` beside it, and ids;
    a label is on where one of its two words is in the text."""
    generator = random.Random(seed)
    lines = []
    for row in range(rows):
        words = generator.choices(TEXT_WORDS, k=generator.randint(2, 6))
        on = sorted({TEXT_WORDS.index(word) // 2 for word in words} - {len(TEXT_LABELS)})
        lines.append(f"{' '.join(words)}\t{','.join(map(str, on))}\tid_{row}\n")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.tsv"
    path.write_text("".join(lines))
    (directory / "labels.txt").write_text("".join(f"{label}\n" for label in TEXT_LABELS))
    return path


def write_images(directory: Path, name: str, count: int, seed: int = 0) -> Path:
    """Write a learnable .npz file of images of 10x12 pixels; the mask is a bright rectangle."""
    generator = np.random.default_rng(seed)
    masks = np.zeros((count, 10, 12), dtype=bool)
    for mask in masks:
        top, left = generator.integers(0, 5, size=2)
        mask[top : top + 4, left : left + 5] = True
    noise = generator.integers(0, 120, size=(*masks.shape, 3))
    images = (noise + 120 * masks[..., None]).astype(np.uint8)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.npz"
    np.savez(path, images=images, masks=masks)
    return path
