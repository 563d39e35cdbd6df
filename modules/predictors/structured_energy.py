"""The predictor for JSON lines and data sets."""

import json
from typing import Any, List

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import TextField
from allennlp.models import Model
from allennlp.predictors import Predictor

from ..compatibility import at_its_place
from ..data import DependencyConlluReader, ImageField, JsonReader
from ..output_spaces import DependencyTreeOutputSpace
from ..vocabulary import names


@Predictor.register("structured-energy")
class StructuredEnergyPredictor(Predictor):
    """Predict labels and probabilities for inputs of the model's reader.

    Multi-label: a line is `{"features": [0.5, …]}` in the order of the training data, or
    `{"features": {"name": 0.5, …}}` by name, where missing ones are 0; of the reader `table` also
    `{"name": 0.5, "color": "red", …}`, raw values of its columns. `labels` are the labels above the
    threshold with their probabilities, `label_probabilities` every label, the most probable first,
    and `probabilities` the same numbers in the order of the vocabulary. Texts with labels: the same
    for `{"text": "I …"}`, or with a key for each column of text, and the `tokens`. Tagging:
    `{"tokens": ["I", …]}`, or `{"sentence": "I …"}` for the reader's tokenizer; `labels` are the
    tags of `tokens`, `label_probabilities` the tags and their probabilities for each token.
    Dependency trees: the same, and `labels` are the `heads` of the tokens, 0 for the root, and
    their `relations` (the predictor `conllu` writes CoNLL-U).
    Semantic roles: the same with `"predicate"`, the place of the predicate among the tokens, from
    0. Images: `{"image": "horse.png"}`; `labels` are its rows of pixels, 1 where they are on (the
    predictor `segmentation` writes them to a file).

    With `--use-dataset-reader` the input is a data set of the model's reader; it needs no labels.

    # Raises

    `ValueError` for a line without a key that it needs, or with names unknown to the model.
    """

    def __init__(self, model: Model, dataset_reader: DatasetReader, frozen: bool = True) -> None:
        if isinstance(dataset_reader, JsonReader):
            dataset_reader = dataset_reader.for_prediction(model.vocab)
        super().__init__(model, dataset_reader, frozen)

    def load_line(self, line: str) -> JsonDict:
        """Return the dictionary of a line of JSON."""
        try:
            content = json.loads(line)
        except ValueError as error:
            advice = "--use-dataset-reader reads a data set, such as the model was trained on"
            if isinstance(self._dataset_reader, DependencyConlluReader):
                advice += ", and --predictor conllu also plain sentences"
            raise ValueError(
                f"Expected a line that is JSON, got '{line.strip()[:40]}': {error}; {advice}."
            ) from None
        if not isinstance(content, dict):
            raise ValueError(
                f"Expected a line that is a dictionary in JSON, got '{line.strip()[:40]}'."
            )
        return content

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        if not isinstance(self._dataset_reader, JsonReader):
            raise ConfigurationError(
                "Expected a model trained by a reader that reads JSON (such as 'arff' or "
                "'tagging-conll') for the predictor 'structured-energy', got "
                f"{type(self._dataset_reader).__name__}."
            )
        try:
            return self._dataset_reader.json_to_instance(json_dict, self._model.vocab)
        except ValueError as error:
            raise at_its_place(json_dict, error) from None

    def predict_instance(self, instance: Instance) -> JsonDict:
        """Return the labels and probabilities of an instance."""
        return self.predict_batch_instance([instance])[0]

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        """Return the labels and probabilities of each instance."""
        for instance in instances:
            instance.fields.pop("labels", None)
        predictions = super().predict_batch_instance(instances)
        # Probabilities of arcs have no names.
        is_tree = isinstance(self._model.output_space, DependencyTreeOutputSpace)
        for instance, prediction in zip(instances, predictions, strict=True):
            x = instance.fields["x"]
            if isinstance(x, TextField):
                prediction["tokens"] = [token.text for token in x.tokens]
            if not isinstance(x, ImageField) and not is_tree:
                prediction["label_probabilities"] = self._named(prediction["probabilities"])
        return predictions

    def _named(self, probabilities: List[Any]) -> Any:
        """Return the probabilities by label, the highest first; of each position where there are
        several."""
        if probabilities and isinstance(probabilities[0], list):
            return [self._named(row) for row in probabilities]
        pairs = zip(names(self._model.vocab, "labels"), probabilities, strict=True)
        return dict(sorted(pairs, key=lambda pair: -pair[1]))
