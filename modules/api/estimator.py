"""A scikit-learn estimator."""

import tempfile
from typing import Any, Dict, List, Optional

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from .trained_model import TrainedModel
from .training import train


class EnergyClassifier(ClassifierMixin, BaseEstimator):
    """A multi-label classifier of structured energy for scikit-learn's pipelines and searches.

    Y is an indicator matrix `(num_instances, num_labels)`. A y of one dimension works as well: each
    class becomes a label, and the most probable one is predicted.

    X has numbers, none of them missing. Encode columns of text and fill missing values by steps
    before it, such as `OneHotEncoder` and `SimpleImputer` in a `ColumnTransformer`; or call
    `train`, which takes both.

    # Parameters

    method : `str`
        The name of a method for sets of labels; `allennlp methods` lists them.
    num_epochs : `int`
        The largest number of epochs; training stops earlier where validation does not improve.
    validation_fraction : `float`
        The proportion of the training data that chooses the epoch and fits the decoder.
    settings : `dict`, optional
        Settings of the method, such as `{'hidden': [64], 'lr': 1e-3}`.
    overrides : `dict`, optional
        Values of the config by dotted key, such as `{'trainer.cuda_device': 0}`.
    out : path, optional
        The folder of the run, which must be new or empty at each `fit`; by default a temporary
        folder, deleted after training.
    random_state : `int`, `RandomState` or `None`
        The seed; `None` draws one.
    verbose : `bool`
        Whether to show the progress of the training.

    # Fields

    classes_ : the labels 0, …, or the classes of a y of one dimension.
    model_ : `TrainedModel`
    """

    def __init__(
        self,
        method: str = "seal_dynamic_nce",
        num_epochs: int = 30,
        validation_fraction: float = 0.1,
        settings: Optional[Dict[str, Any]] = None,
        overrides: Optional[Dict[str, Any]] = None,
        out: Optional[str] = None,
        random_state: Any = 0,
        verbose: bool = False,
    ) -> None:
        self.method = method
        self.num_epochs = num_epochs
        self.validation_fraction = validation_fraction
        self.settings = settings
        self.overrides = overrides
        self.out = out
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> "EnergyClassifier":
        """Train the model on features X and labels y."""
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True)
        if X.shape[0] < 2:
            raise ValueError(
                "Expected at least 2 instances, one to train on and one to validate, got "
                f"n_samples={X.shape[0]}."
            )
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "Unknown label type: expected an indicator matrix of 0 and 1 or one class for each "
                "instance, got several classes for each; encode them as columns of 0 and 1."
            )
        self.multilabel_ = kind == "multilabel-indicator"
        if self.multilabel_:
            self.classes_ = np.arange(y.shape[1])
            Y = y
        else:
            self.classes_, places = np.unique(column_or_1d(y, warn=True), return_inverse=True)
            Y = np.eye(len(self.classes_), dtype=np.int64)[places]
        with tempfile.TemporaryDirectory() as folder:
            self.model_: TrainedModel = train(
                self.method,
                X,
                Y,
                out=folder if self.out is None else self.out,
                validation=self.validation_fraction,
                num_epochs=self.num_epochs,
                seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
                settings=self.settings,
                overrides=self.overrides,
                label_names=[f"y{column}" for column in range(len(self.classes_))],
                verbose=self.verbose,
            )
        if self.out is None:
            self.model_.folder = None
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities `(num_instances, num_labels)` of the labels or classes."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        probabilities = self.model_.predict_proba(X)[:, self._columns].astype(np.float64)
        if self.multilabel_:
            return probabilities
        total = probabilities.sum(axis=1, keepdims=True)
        return np.divide(
            probabilities,
            total,
            out=np.full_like(probabilities, 1 / len(self.classes_)),
            where=total > 0,
        )

    def predict(self, X: Any) -> np.ndarray:
        """Return the labels `(num_instances, num_labels)` as 0 and 1, or the class of each
        instance."""
        check_is_fitted(self)
        if not self.multilabel_:
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        return self.model_.predict(X)[:, self._columns]

    @property
    def _columns(self) -> List[int]:
        """The columns of the model's labels in the order of the classes."""
        places = {name: place for place, name in enumerate(self.model_.labels)}
        return [places[f"y{column}"] for column in range(len(self.classes_))]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = False
        return tags
