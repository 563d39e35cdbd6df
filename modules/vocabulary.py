"""The names that the data give to features and labels."""

from typing import List

from allennlp.data import Vocabulary


def names(vocab: Vocabulary, namespace: str) -> List[str]:
    """The names in `namespace` in their order, without AllenNLP's entries for padding and unknown.

    Feature i of x is `names(vocab, "features")[i]`, label i of y `names(vocab, "labels")[i]`.
    """
    known = vocab.get_index_to_token_vocabulary(namespace)
    special = {vocab._padding_token, vocab._oov_token}
    return [known[i] for i in range(len(known)) if known[i] not in special]
