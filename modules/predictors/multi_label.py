"""Predictions for JSON lines, and for rows of a data set."""

from typing import List

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict
from allennlp.data import Instance
from allennlp.predictors import Predictor

from ..data import TabularReader, names


@Predictor.register("multi-label")
class MultiLabelPredictor(Predictor):
    """Features in, labels with their scores out.

    A JSON line is `{"features": [0.5, …]}` in the order of the training data, or
    `{"features": {"name": 0.5, …}}` by name, where those that are left out are 0. With
    `--use-dataset-reader` the input is a data set of the model's reader, row by row.

    # Raises

    `ValueError` for a line without features, or with features that the model does not know.
    """

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        if not isinstance(self._dataset_reader, TabularReader):
            raise ConfigurationError(
                "Expected a model trained by a reader of rows (such as 'arff') for the predictor "
                f"'multi-label', got {type(self._dataset_reader).__name__}."
            )
        if "features" not in json_dict:
            raise ValueError(
                "Expected a line with the key 'features' (a list, or a dictionary by name), got "
                f"the keys {sorted(json_dict)}."
            )
        vocab = self._model.vocab
        return self._dataset_reader.text_to_instance(
            json_dict["features"], names(vocab, "features"), label_names=names(vocab, "labels")
        )

    def predict_instance(self, instance: Instance) -> JsonDict:
        """The labels above the threshold with their scores, and the probability of every label."""
        return self.predict_batch_instance([instance])[0]

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        """`predict_instance` of each."""
        for instance in instances:
            instance.fields.pop("labels", None)
        return super().predict_batch_instance(instances)
