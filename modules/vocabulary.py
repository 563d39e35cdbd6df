"""The names of features and labels in the vocabulary."""

from typing import List

from allennlp.data import Vocabulary


def names(vocab: Vocabulary, namespace: str) -> List[str]:
    """Return the names in `namespace` in order, without AllenNLP's entries for padding and unknown
    tokens; an empty list for an unknown namespace.

    Feature i of x is `names(vocab, "features")[i]`, label i of y `names(vocab, "labels")[i]`.
    """
    if namespace not in vocab.get_namespaces():
        return []  # a lookup would create the namespace, and an empty one cannot be saved
    tokens = vocab.get_index_to_token_vocabulary(namespace)
    special = {vocab._padding_token, vocab._oov_token}
    return [tokens[i] for i in range(len(tokens)) if tokens[i] not in special]
