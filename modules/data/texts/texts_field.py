"""Several texts of one instance, such as a title and a body, with separate tensors."""

from typing import Any, Dict, List

from allennlp.data import TokenIndexer, Vocabulary
from allennlp.data.fields import Field, TextField

_MARK = "/"


class TextsField(Field[Dict[str, Any]]):
    """Texts by name; the tensors of a batch are those of a text field for each name.

    # Parameters

    texts : `Dict[str, TextField]`
    """

    __slots__ = ["texts"]

    def __init__(self, texts: Dict[str, TextField]) -> None:
        self.texts = texts

    def set_indexers(self, indexers: Dict[str, TokenIndexer]) -> None:
        """Set the indexers of all texts."""
        for text in self.texts.values():
            text.token_indexers = indexers

    def __len__(self) -> int:
        return sum(len(text) for text in self.texts.values())

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        for text in self.texts.values():
            text.count_vocab_items(counter)

    def index(self, vocab: Vocabulary) -> None:
        for text in self.texts.values():
            text.index(vocab)

    def get_padding_lengths(self) -> Dict[str, int]:
        return {
            f"{name}{_MARK}{key}": length
            for name, text in self.texts.items()
            for key, length in text.get_padding_lengths().items()
        }

    def as_tensor(self, padding_lengths: Dict[str, int]) -> Dict[str, Any]:
        tensors = {}
        for name, text in self.texts.items():
            start = f"{name}{_MARK}"  # a name may have the mark itself
            own = {
                key.removeprefix(start): length
                for key, length in padding_lengths.items()
                if key.startswith(start)
            }
            tensors[name] = text.as_tensor(own)
        return tensors

    def batch_tensors(self, tensor_list: List[Dict[str, Any]]) -> Dict[str, Any]:
        return {
            name: text.batch_tensors([tensors[name] for tensors in tensor_list])
            for name, text in self.texts.items()
        }

    def empty_field(self) -> "TextsField":
        return TextsField({name: text.empty_field() for name, text in self.texts.items()})

    def human_readable_repr(self) -> Dict[str, Any]:
        return {name: text.human_readable_repr() for name, text in self.texts.items()}
