"""The tree of logged values in TensorBoard."""

from pathlib import Path
from typing import TYPE_CHECKING, Dict

from allennlp.training import TrainerCallback

from .tree_callback import Reading, TreeCallback

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@TrainerCallback.register("tree-to-tensorboard")
class TreeToTensorboardCallback(TreeCallback):
    """Write the tree for TensorBoard to `log/tree` in the folder of the run.

    Numbers are scalars, and arrays histograms; an array of two dimensions, or of three with 1 or 3
    channels last, is also an image. Each name has one chart, with a curve for training and one for
    validation. The time is that of `unit`. When a run resumes, the values after its checkpoint
    disappear from the charts.
    """

    _writers: Dict[str, "SummaryWriter"]

    def begin(self, epoch: int, step: int) -> None:
        """Forget earlier writers; a file of events is opened with its first value."""
        self._writers = {}

    def write(self, reading: Reading) -> None:
        """Add the values."""
        time = reading.epoch if self.unit == "epochs" else reading.step
        for part, values in reading.scalars.items():
            writer = self._writer(part, time)
            for name, value in values.items():
                writer.add_scalar(name, value, time)
            for name, array in reading.arrays.get(part, {}).items():
                writer.add_histogram(name, array.reshape(-1), time)
                if array.ndim == 2:
                    writer.add_image(name, array, time, dataformats="HW")
                elif array.ndim == 3 and array.shape[-1] in (1, 3):
                    writer.add_image(name, array, time, dataformats="HWC")
            writer.flush()  # a killed run loses no value

    def _writer(self, part: str, time: int) -> "SummaryWriter":
        if part not in self._writers:
            from torch.utils.tensorboard import SummaryWriter

            folder = Path(self.serialization_dir) / "log" / "tree" / part
            # Values of this time and later are from before a kill.
            self._writers[part] = SummaryWriter(str(folder), purge_step=time)
        return self._writers[part]

    def end(self) -> None:
        """Close the files of events."""
        for writer in self._writers.values():
            writer.close()
