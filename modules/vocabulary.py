"""The names of features and labels in the vocabulary."""

from typing import List

from allennlp.data import Vocabulary


def names(vocab: Vocabulary, namespace: str) -> List[str]:
    """Return the names in `namespace` in their order, without AllenNLP's entries for padding and
    unknown; none if there is no such namespace.

    Feature i of x is `names(vocab, "features")[i]`, label i of y `names(vocab, "labels")[i]`.
    """
    if namespace not in vocab.get_namespaces():
        return []  # a look into it would create it, empty, and such a vocabulary cannot be saved
    known = vocab.get_index_to_token_vocabulary(namespace)
    special = {vocab._padding_token, vocab._oov_token}
    return [known[i] for i in range(len(known)) if known[i] not in special]
