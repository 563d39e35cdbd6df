"""The taxonomy of the labels of a model."""

from typing import Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ..vocabulary import names
from .taxonomy import Taxonomy


def taxonomy_of_labels(vocab: Vocabulary, path: Optional[str] = None) -> Taxonomy:
    """Return the taxonomy of a file or, by default, of the data, with its terms in the order of the
    labels.

    # Raises

    `ConfigurationError` without a taxonomy, and where its terms are not the labels.
    """
    labels = names(vocab, "labels")
    found = Taxonomy.of_vocabulary(vocab) if path is None else Taxonomy.from_file(path)
    if found is None:
        raise ConfigurationError(
            "Expected data with a taxonomy, such as ARFF files with a hierarchical attribute, or "
            "the key 'taxonomy' of the output space 'hierarchical', got neither."
        )
    if set(found.terms) != set(labels):
        odd = sorted(set(found.terms) ^ set(labels))[0]
        raise ConfigurationError(
            f"Expected a taxonomy whose terms are the {len(labels)} labels of the data, got "
            f"'{odd}' in only one of the two."
        )
    return found.reordered(labels)
