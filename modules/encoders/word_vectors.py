"""Embeddings of words that start at published vectors in NumPy's format."""

import json
import re
from pathlib import Path
from typing import Callable, Dict, List, Optional, TypeVar

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules import TokenEmbedder
from allennlp.modules.token_embedders import Embedding

from ..package_files import package_path

Content = TypeVar("Content")


@TokenEmbedder.register("word-vectors")
class WordVectors(Embedding):
    """An embedding of the words of the vocabulary, from a matrix of vectors and a list of words.

    Words without a vector get a random one, of the mean and the variance of the others. The vectors
    are read once: an archive has them among its weights.

    # Parameters

    embedding_dim : `int`
        The size of the vectors.
    pretrained_file : `str`, optional
        A folder, or `package://package/folder`, with one file `.npy` `(words, embedding_dim)` and
        one file of the words in its order: `.txt` (one on each line), `.json` (a list) or
        `.parquet` (its first column of text; needs pyarrow).
    trainable : `bool`
        Whether the vectors are trained further.
    vocab_namespace : `str`
        The namespace of the words in the vocabulary.

    # Raises

    `ConfigurationError` for a folder without such files, and for vectors of another size or number.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        embedding_dim: int,
        pretrained_file: Optional[str] = None,
        trainable: bool = True,
        vocab_namespace: str = "tokens",
    ) -> None:
        weight = None
        if pretrained_file is not None:
            known = vocab.get_token_to_index_vocabulary(vocab_namespace)
            weight = matrix_of(package_path(pretrained_file), known, embedding_dim)
        super().__init__(
            embedding_dim=embedding_dim,
            weight=weight,
            padding_index=0,
            trainable=trainable,
            vocab_namespace=vocab_namespace,
            vocab=vocab,
        )


def matrix_of(folder: str, known: Dict[str, int], size: int) -> torch.Tensor:
    """Return the vectors `(len(known), size)` of the words of a vocabulary.

    # Raises

    `ConfigurationError` for a folder without vectors of this size.
    """
    vectors = _read(_only(folder, (".npy",)), _array)
    words = _read(_only(folder, (".txt", ".json", ".parquet")), _words)
    if vectors.ndim != 2 or vectors.shape != (len(words), size):
        raise ConfigurationError(
            f"{folder}: expected vectors ({len(words)}, {size}), for the {len(words)} words and "
            f"embedding_dim of the embedder 'word-vectors', got {vectors.shape}."
        )
    rows = [(known[word], row) for row, word in enumerate(words) if word in known]
    if not rows:
        raise ConfigurationError(
            f"{folder}: expected vectors of some words of the data, got none of their "
            f"{len(known)} words; lower-case them (lowercase_tokens of the indexer), or choose "
            "other vectors."
        )
    own, theirs = (list(column) for column in zip(*rows, strict=True))
    found = torch.from_numpy(np.asarray(vectors[theirs], dtype=np.float32))
    weight = torch.randn(len(known), size) * found.std() + found.mean()
    weight[own] = found
    return weight


def _only(folder: str, suffixes: "tuple[str, ...]") -> Path:
    files = sorted(p for p in Path(folder).glob("*") if p.suffix in suffixes)
    if len(files) != 1:
        raise ConfigurationError(
            f"{folder}: expected one file {' or '.join(suffixes)} for the embedder 'word-vectors', "
            f"got {[file.name for file in files] or 'none'}."
        )
    return files[0]


def _read(path: Path, read: Callable[[Path], Content]) -> Content:
    """Return the content of a file; a fault of it raises `ConfigurationError`."""
    try:
        return read(path)
    except (EOFError, OSError, ValueError) as error:
        said = re.split(r"\. |\n", str(error))[0]
        raise ConfigurationError(
            f"{path}: expected a file of the embedder 'word-vectors', got one that is damaged: "
            f"{said}."
        ) from None


def _array(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _words(path: Path) -> List[str]:
    if path.suffix == ".txt":
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    try:
        from pyarrow import parquet
    except ImportError:
        raise ConfigurationError(
            f"{path}: expected the package pyarrow, which reads Parquet, got none; install it "
            "(`pip install pyarrow`)."
        ) from None
    table = parquet.read_table(path)
    return [str(word) for word in table.column(0).to_pylist()]
