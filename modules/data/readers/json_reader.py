"""The base of readers that can make an instance of a line of JSON."""

from abc import abstractmethod
from typing import Any, Dict

from allennlp.data import Instance, Vocabulary

from .reader import Reader


class JsonReader(Reader):
    """A reader whose models predict for lines of JSON."""

    def for_prediction(self, vocab: Vocabulary) -> "JsonReader":
        """Return the reader of data to predict for with the model of `vocab`: by default this one,
        or one that needs no labels."""
        return self

    @abstractmethod
    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        """The instance, without labels, of a line; `vocab` is the model's.

        # Raises

        `ValueError` for a line without what is needed, or with what the model does not know.
        """
