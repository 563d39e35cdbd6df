"""Pictures of the predictions of a model of images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional

import numpy as np
import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.nn.util import move_to_device
from allennlp.training import GradientDescentTrainer, TrainerCallback
from PIL import Image

from ..models import StructuredEnergyModel
from ..oracle_values import IntersectionOverUnion
from ..reporting import descent_of, inspecting, truth_picture
from ..samplers import GradientBasedInferenceSampler, Sampler
from .image_grid import Column, draw_grid, pixels_of
from .trained_model import averaged_weights, check_model

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@TrainerCallback.register("pictures")
class PicturesCallback(TrainerCallback):
    """Draw images of the validation data, one in each row: the input, the truth, the probabilities,
    the prediction with its IoU, and the steps of gradient-based inference with their scores.

    Void pixels of the truth are grey.

    A picture is `pictures/epoch_N.png` in the folder of the run, N as in `metrics_epoch_N.json`;
    `pictures/best.png`, at the end, is of the best weights. TensorBoard reads the same from
    `log/pictures`. The callback does not change the training: it draws no random number from its
    generators and logs nothing.

    # Parameters

    every : `int`
        The number of epochs between pictures.
    num_images : `int`
        The number of images, from the first batch of the validation data.
    descent : `Lazy[Sampler]`, optional
        The `gradient-based-inference` whose steps are shown, on the whole image and without the
        truth. By default it is that of the model's inference; without one, no steps are shown.
    num_steps_shown : `int`
        The number of iterates shown, evenly from the first to the last.

    # Raises

    `ConfigurationError` for a number below 1, a model other than `structured-energy`, a descent of
    another kind or without a score network, or validation data that are missing or not images.
    """

    def __init__(
        self,
        serialization_dir: str,
        every: int = 10,
        num_images: int = 8,
        descent: Optional[Lazy[Sampler]] = None,
        num_steps_shown: int = 5,
    ) -> None:
        super().__init__(serialization_dir)
        if min(every, num_images, num_steps_shown) < 1:
            raise ConfigurationError(
                "Expected every, num_images and num_steps_shown of at least 1 in the callback "
                f"'pictures', got {every}, {num_images} and {num_steps_shown}."
            )
        self.every = every
        self.num_images = num_images
        self.num_steps_shown = num_steps_shown
        self._lazy_descent = descent
        self._descent: Optional[GradientBasedInferenceSampler] = None
        self._batch: Dict[str, Any] = {}
        self._writer: Optional["SummaryWriter"] = None

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Take the images, and find or build the descent."""
        super().on_start(trainer, is_primary)
        check_model(trainer, "'pictures'")
        model = trainer.model
        self._descent = self._find_descent(model)
        with inspecting(model):
            self._batch = self._first_images(trainer)

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Draw the picture of an epoch that is due."""
        if is_primary and (epoch + 1) % self.every == 0:
            with averaged_weights(trainer):
                self._draw(trainer.model, f"epoch_{epoch}", f"after epoch {epoch}", epoch)

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
    ) -> None:
        """Draw the picture of the best weights, which the trainer restored, unless it failed."""
        if is_primary and metrics is not None:
            assert epoch is not None
            title = f"after epoch {metrics['best_epoch']}, the best"
            self._draw(trainer.model, "best", title, epoch + 1)
        if self._writer is not None:
            self._writer.close()

    def _find_descent(
        self, model: StructuredEnergyModel
    ) -> Optional[GradientBasedInferenceSampler]:
        if self._lazy_descent is None:
            return descent_of(model)
        if model.score_network is None:
            raise ConfigurationError(
                "Expected a model with a score_network for the descent of the callback 'pictures', "
                "got one without; leave out 'descent'."
            )
        descent = self._lazy_descent.construct(
            output_space=model.output_space, score_network=model.score_network
        )
        if not isinstance(descent, GradientBasedInferenceSampler):
            raise ConfigurationError(
                "Expected the sampler 'gradient-based-inference' as the descent of the callback "
                f"'pictures', got {type(descent).__name__}."
            )
        return descent

    def _first_images(self, trainer: GradientDescentTrainer) -> Dict[str, Any]:
        loader = trainer._validation_data_loader
        batch = None if loader is None else next(iter(loader), None)
        if batch is None:
            raise ConfigurationError(
                "Expected validation data for the callback 'pictures', got none; set "
                "'validation_data_path', or leave the callback out."
            )
        x = batch.get("x")
        if not isinstance(x, torch.Tensor) or x.dim() != 4 or x.shape[1] not in (1, 3):
            got = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise ConfigurationError(
                "Expected validation data with images of 1 or 3 channels, x of the shape (batch, "
                f"num_channels, height, width), for the callback 'pictures', got {got}."
            )
        first = {key: value[: self.num_images] for key, value in batch.items()}
        return move_to_device(first, trainer.cuda_device)

    def _draw(self, model: StructuredEnergyModel, name: str, title: str, step: int) -> None:
        with inspecting(model):
            columns = self._columns(model)
        pixels = pixels_of(draw_grid(columns, title))
        folder = Path(self.serialization_dir)
        (folder / "pictures").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / "pictures" / f"{name}.png")
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / "log" / "pictures"))
        self._writer.add_image("pictures", pixels, step, dataformats="HWC")
        self._writer.flush()  # a killed run loses no picture

    def _columns(self, model: StructuredEnergyModel) -> List[Column]:
        x, labels, mask = (self._batch.get(key) for key in ("x", "labels", "mask"))
        assert isinstance(x, torch.Tensor)
        prediction = model(x=x, mask=mask)["prediction"]
        probabilities, predicted = prediction.probabilities, model.decoder.decode(prediction)
        columns = [Column("input", _arrays(x.movedim(1, -1)))]
        values = None
        if labels is not None:
            columns.append(Column("truth", _arrays(truth_picture(labels, mask))))
            space = model.output_space
            value = IntersectionOverUnion(space).value(
                space.encode(labels), space.encode(predicted), mask
            )
            values = [f"IoU {number:.2f}" for number in value[:, 0].tolist()]
        columns.append(Column("probability", _arrays(probabilities)))
        columns.append(Column("prediction", _arrays(predicted), values))
        return columns + self._steps(x)

    def _steps(self, x: torch.Tensor) -> List[Column]:
        if self._descent is None:
            return []
        self._descent.eval()
        with self._descent.no_logging():
            path = self._descent.path(x)
        last = len(path) - 1
        shown = dict.fromkeys(np.linspace(0, last, self.num_steps_shown, dtype=int))
        return [
            Column(
                f"step {step}",
                _arrays(path[step].y[:, 0]),
                [f"score {score:.3g}" for score in path[step].score[:, 0].tolist()],
            )
            for step in shown
        ]


def _arrays(values: torch.Tensor) -> List[np.ndarray]:
    return list(values.detach().float().cpu().numpy())
