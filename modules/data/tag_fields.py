"""Fields of what each token of a text has: a tag, or a head and a relation."""

from textwrap import shorten
from typing import List, Optional, Sequence

from allennlp.data import Vocabulary
from allennlp.data.fields import SequenceLabelField, TextField
from allennlp.data.tokenizers import Token

from ..vocabulary import names
from .conll import Sentence


class SentenceField(TextField):
    """A text with the sentence of its file.

    # Parameters

    tokens : `List[Token]`
    sentence : `Sentence`
    """

    __slots__ = ["sentence"]

    def __init__(self, tokens: List[Token], sentence: Sentence) -> None:
        super().__init__(tokens)
        self.sentence = sentence


class TagField(SequenceLabelField):
    """The tags of a text.

    # Parameters

    tags : `Sequence[str]`
    text : `TextField`
    sentence : `Sentence`, optional
        Where the tags are from, for error messages.
    """

    __slots__ = ["file", "lines"]

    def __init__(
        self, tags: Sequence[str], text: TextField, sentence: Optional[Sentence] = None
    ) -> None:
        super().__init__(list(tags), text)
        # Not the sentence itself, whose other columns would stay in memory.
        self.file = None if sentence is None else sentence.file
        self.lines = [] if sentence is None else sentence.lines

    def index(self, vocab: Vocabulary) -> None:
        """Look the tags up in a vocabulary.

        # Raises

        `ValueError` for a tag that the vocabulary does not have.
        """
        known = vocab.get_token_to_index_vocabulary(self._label_namespace)
        for place, tag in enumerate(self.labels):
            if tag not in known and vocab._oov_token not in known:
                where = f"{self.file}, line {self.lines[place]}" if self.file else f"token {place}"
                tags = shorten(", ".join(names(vocab, self._label_namespace)), 600)
                raise ValueError(
                    f"{where}: expected one of the tags of the model's training data ({tags}), got "
                    f"'{tag}'; correct the file, or train on data that have this tag."
                )
        super().index(vocab)


class ArcField(TagField):
    """The heads and relations of a text, as labels 1 + head · R + relation, of R relations; padding
    is 0, no arc.

    # Parameters

    heads : `Sequence[int]`
        0 for the root, and 1 for the first token.
    relations : `Sequence[str]`
    text : `TextField`
    sentence : `Sentence`, optional
        Where the arcs are from, for error messages.
    """

    __slots__ = ["heads"]

    def __init__(
        self,
        heads: Sequence[int],
        relations: Sequence[str],
        text: TextField,
        sentence: Optional[Sentence] = None,
    ) -> None:
        super().__init__(relations, text, sentence)
        self.heads = list(heads)

    def index(self, vocab: Vocabulary) -> None:
        """Look the relations up in a vocabulary.

        # Raises

        `ValueError` for a relation that the vocabulary does not have.
        """
        super().index(vocab)
        size = len(names(vocab, self._label_namespace))
        labels: List[int] = self._indexed_labels
        for place, head in enumerate(self.heads):
            labels[place] += 1 + head * size
