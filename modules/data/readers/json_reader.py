"""The base of readers that turn a line of JSON into an instance."""

from abc import abstractmethod
from typing import Any, Dict

from allennlp.data import Instance, Vocabulary

from .reader import Reader


class JsonReader(Reader):
    """The base of readers whose models predict for lines of JSON."""

    def for_prediction(self, vocab: Vocabulary) -> "JsonReader":
        """Return the reader of data to predict for with the model of `vocab`: by default this one,
        or one that needs no labels."""
        return self

    @abstractmethod
    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        """Return the instance of a line, without labels; `vocab` is the vocabulary of the model.

        # Raises

        `ValueError` for a line that lacks a key, or has values that the model does not know.
        """
