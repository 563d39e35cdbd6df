"""A trained model as an object."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

import numpy as np
import torch
from allennlp.common import Params
from allennlp.data import Batch, DatasetReader
from allennlp.data.data_loaders import SimpleDataLoader
from allennlp.evaluation.evaluator import SimpleEvaluator
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.models.model import remove_weights_related_keys_from_params
from allennlp.nn.util import get_device_of

from ..models import StructuredEnergyModel
from ..reporting import (
    Run,
    as_frame,
    history_of_run,
    inspecting,
    load_data,
    metrics_of_run,
    plots_of_run,
    restoring_generators,
    tree_of_run,
    write_report,
)
from ..vocabulary import names
from .export import export
from .inputs import BATCH_SIZE, batches_of, instances_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARCHIVE = "model.tar.gz"


class TrainedModel:
    """A model with the reader of its inputs, as `structured_energy.load` returns it.

    Inputs X are what the model's reader reads, in any of these forms: the path of a file; a list of
    the lines of `allennlp predict` (dictionaries); for sets of labels an array, a sparse matrix or
    a data frame with a row for each instance; for tags a list of sentences (strings, or lists of
    tokens); for masks a list of image files, arrays or images of Pillow.

    # Parameters

    model : `StructuredEnergyModel`
        In evaluation mode.
    reader : `DatasetReader`
        The reader of the model's data.
    config : `Mapping[str, Any]`
        The config of the run.
    folder : `Path`, optional
        The folder of the run.
    """

    def __init__(
        self,
        model: StructuredEnergyModel,
        reader: DatasetReader,
        config: Mapping[str, Any],
        folder: Optional[Path] = None,
    ) -> None:
        self.model = model.eval()
        self.reader = reader
        self.config = dict(config)
        self.folder = folder

    def __repr__(self) -> str:
        """Return a line: what is predicted and how, the labels, and the folder of the run."""
        output = "masks" if self.model.output_space.is_binary else "sequences of"
        if self._predicts_sets:
            output = "sets of"
        elif self.model.output_space.kind == "trees":
            output = "dependency trees of"
        labels = [name[:20] for name in self.labels[:5]] + ["…"] * (len(self.labels) > 5)
        if labels:
            output += f" {len(self.labels)} labels ({', '.join(labels)})"
        pieces = [
            type(piece).__name__ for piece in (self.model.inference, *self.model.losses.values())
        ]
        where = "no folder" if self.folder is None else f"folder='{self.folder}'"
        return f"TrainedModel({', '.join([output, *pieces, where])})"

    def __getstate__(self) -> Dict[str, Any]:
        """Return the state for `pickle`: modules of AllenNLP hold functions that it refuses, so the
        config and the weights stand for the model."""
        weights = {name: value.cpu() for name, value in self.model.state_dict().items()}
        return {**vars(self), "model": (self.model.vocab, weights)}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        """Build the model on the CPU and load its weights."""
        vocab, weights = state["model"]
        params = Params(copy.deepcopy(state["config"]["model"]))
        remove_weights_related_keys_from_params(params)
        with restoring_generators():
            model = Model.from_params(params, vocab=vocab)
        model.load_state_dict(weights)
        vars(self).update({**state, "model": model.eval()})

    @property
    def labels(self) -> List[str]:
        """The names of the labels or tags, in the order of the columns of the probabilities."""
        return names(self.model.vocab, "labels")

    @property
    def features(self) -> List[str]:
        """The names of the features; empty where the inputs are texts or images."""
        return names(self.model.vocab, "features")

    @property
    def run(self) -> Run:
        """The run of the model: its config, metrics and curves.

        # Raises

        `ValueError` for a model that was loaded from an archive, and for that of an
        `EnergyClassifier` without `out`.
        """
        if self.folder is None:
            raise ValueError(
                "Expected a model loaded from the folder of its run, got one of an archive or of a "
                "temporary folder; load the folder, or fit with 'out', to see the run."
            )
        return Run.read(self.folder)

    def predict(self, X: Any) -> Any:
        """Predict the outputs of X.

        # Returns

        For sets of labels an integer array `(num_instances, num_labels)`, 1 where a label is
        predicted; otherwise a list: the tags of each sentence; its tree, a dictionary of `heads`, 0
        for the root, and `relations`; arrays `(height, width)` with 1 where the object is.
        """
        outputs = [output["labels"] for output in self._outputs(X)]
        if not self._predicts_sets:
            return [np.asarray(o) if self.model.output_space.is_binary else o for o in outputs]
        places = {name: place for place, name in enumerate(self.labels)}
        y = np.zeros((len(outputs), len(places)), dtype=np.int64)
        for row, on in enumerate(outputs):
            y[row, [places[name] for name in on]] = 1
        return y

    def predict_labels(self, X: Any) -> List[Any]:
        """Predict the names of the labels, or the tags, of each instance; trees as `predict`."""
        outputs = [output["labels"] for output in self._outputs(X)]
        is_tree = self.model.output_space.kind == "trees"
        return outputs if is_tree else [list(each) for each in outputs]

    def predict_proba(self, X: Any) -> Any:
        """Predict the probabilities of the outputs of X: the relaxed prediction.

        # Returns

        For sets of labels an array `(num_instances, num_labels)`; otherwise a list of arrays:
        `(num_tokens, num_tags)` for tags, `(height, width)` for masks, and for trees
        `(num_tokens, heads * relations)`.
        """
        probabilities = [output["probabilities"] for output in self._outputs(X)]
        if not self._predicts_sets:
            return probabilities
        return np.stack(probabilities) if probabilities else np.zeros((0, len(self.labels)))

    def evaluate(self, X: Any, Y: Any = None) -> Dict[str, float]:
        """Return the metrics of the predictions, and the values of the tree, by dotted name.

        # Parameters

        X : the path of a file with labels, or inputs with `Y`.
        Y : `array`, optional
            0 or 1, `(num_instances, num_labels)`, for sets of labels.
        """
        instances = instances_of(self.reader, self.model.vocab, X, Y, with_labels=True)
        loader = SimpleDataLoader(instances, BATCH_SIZE, vocab=self.model.vocab)
        device = get_device_of(next(self.model.parameters()))
        self.model.get_metrics(reset=True)
        with restoring_generators():
            return SimpleEvaluator(cuda_device=device)(self.model, loader)

    def metrics(self) -> Any:
        """Return the metrics of the run: a data frame with a row for each metric and its values in
        `training` and `validation` in the best epoch and in `test`; without pandas a list of
        dictionaries."""
        return as_frame(metrics_of_run(self.run))

    def tree(self) -> Any:
        """Return the tree of logged values of the run: a data frame with a row for each value, its
        `name` and `node`, and what it was in the best and the last epoch; without pandas a list of
        dictionaries. `print(model.describe())` draws the tree."""
        return as_frame(tree_of_run(self.run))

    def history(self) -> Any:
        """Return all values of all epochs: a data frame with the columns `epoch`, `part`, `name`
        and `value`; without pandas a list of dictionaries."""
        return as_frame(history_of_run(self.run))

    def plots(self) -> Dict[str, "Figure"]:
        """Return the plots of `allennlp plots` by name, as figures of Matplotlib; they show the
        model on the validation data of the run."""
        folder = self.run.folder
        return plots_of_run(folder, self.model, load_data(folder, self.model.vocab))

    def report(self, path: Union[str, Path, None] = None) -> Path:
        """Write the report of `allennlp report` and return its path, by default `report.html` in
        the folder of the run."""
        folder = self.run.folder
        path = folder / "report.html" if path is None else Path(path)
        write_report([folder], path)
        return path

    def describe(self) -> str:
        """Return a drawing of the tree: the nodes, their classes, and the kinds of their values."""
        return self.model.describe()

    def export(self, path: Union[str, Path], X: Any = None) -> Path:
        """Write the task network to a file, x to probabilities, and return its path.

        # Parameters

        path : path
            Ends in `.onnx` (ONNX; needs the packages onnx, onnxscript and onnxruntime) or `.pt2`
            (`torch.export.load` reads it).
        X : optional
            Inputs on which the file is checked; needed for images. By default vectors of random
            numbers.

        # Raises

        `ValueError` for a model of texts, another suffix, a missing package, or where the file
        gives other probabilities than the task network.
        """
        if X is None:
            if not self.features:
                raise ValueError(
                    "Expected inputs X to export a model of texts, sentences or images, got none."
                )
            x: Any = torch.rand(2, len(self.features))
        else:
            instances = instances_of(self.reader, self.model.vocab, X)
            # A batch of one would fix the size of the batch.
            batch = Batch(instances if len(instances) > 1 else 2 * instances)
            batch.index_instances(self.model.vocab)
            x = batch.as_tensor_dict()["x"]
        export(self.model, Path(path), x)
        return Path(path)

    @property
    def _predicts_sets(self) -> bool:
        network = self.model.task_network or self.model.score_network
        return self.model.output_space.is_binary and network.encoder.position_dims == 0

    def _outputs(self, X: Any) -> List[Dict[str, Any]]:
        """Return the readable output for each input."""
        instances = instances_of(self.reader, self.model.vocab, X)
        outputs: List[Dict[str, Any]] = []
        with inspecting(self.model):
            for batch in batches_of(instances):
                outputs += self.model.forward_on_instances(batch)
        return outputs


def load(path: Union[str, Path], cuda_device: int = -1) -> TrainedModel:
    """Load the model of a run, finished or not, or of an archive, with its best weights.

    # Parameters

    path : path
        The folder of a run, or a `model.tar.gz`.
    cuda_device : `int`
        The device of the model; -1 is the CPU.

    # Raises

    `ValueError` where there is no model at the path.
    """
    path = Path(path)
    folder = path if path.is_dir() else None
    if folder is not None and not (folder / "best.th").exists() and (folder / ARCHIVE).exists():
        path = folder / ARCHIVE
    elif folder is not None and not (folder / "best.th").exists():
        raise ValueError(
            f"Expected the folder of a run of 'allennlp train' with best.th or {ARCHIVE}, got "
            f"'{folder}'; wait for the end of the first epoch."
        )
    elif folder is None and not path.exists():
        raise ValueError(f"Expected the folder of a run or a {ARCHIVE}, got '{path}'.")
    with restoring_generators():  # weights are drawn before they are loaded
        archive = load_archive(path, cuda_device=cuda_device)
    if not isinstance(archive.model, StructuredEnergyModel):
        raise ValueError(
            f"{path}: expected a model 'structured-energy', got {type(archive.model).__name__}."
        )
    config = archive.config.as_dict(quiet=True)
    return TrainedModel(archive.model, archive.validation_dataset_reader, config, folder)
