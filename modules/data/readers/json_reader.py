"""The base of readers that turn a line of JSON into an instance."""

from abc import abstractmethod
from typing import Any, Dict, Optional

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

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of a value in memory, such as a sentence, with its output if given.

        By default a value is a line of JSON and has no output.

        # Raises

        `ValueError` for a value of another form.
        """
        if not isinstance(value, dict) or output is not None:
            raise ValueError(
                f"Expected a line (a dictionary) without its output for the reader "
                f"{type(self).__name__}, got a value of type {type(value).__name__}"
                f"{'' if output is None else ' with its output'}; write the data to a file."
            )
        return self.json_to_instance(value, vocab)
