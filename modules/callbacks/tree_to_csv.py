"""The tree of logged values in a CSV file."""

import csv
import io
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from allennlp.training import TrainerCallback

from ..atomic_files import write_atomically
from .tree_callback import Reading, TreeCallback, Unit

Row = Dict[str, str]
PLACE = ["epoch", "step", "batch"]


@TrainerCallback.register("tree-to-csv")
class TreeToCsvCallback(TreeCallback):
    """Write the numbers of the tree to `tree.csv` in the folder of the run, a row for each epoch or
    step.

    Columns are `epoch`, `step` (batches over all epochs), `batch` (within the epoch; empty in the
    row of a whole epoch), and the names that `metrics.json` has, such as
    `validation_loss.oracle_cost`. Numbers have all their digits. A resumed run continues the file
    from its checkpoint: later rows are removed and written again, so no row is there twice. Each
    row is written at once; an incomplete line of a killed run is removed when the run resumes.

    # Parameters

    file_name : `str`
        The name of the file in the folder of the run.
    """

    def __init__(
        self,
        serialization_dir: str,
        every: int = 1,
        unit: Unit = "epochs",
        keys: Optional[List[str]] = None,
        file_name: str = "tree.csv",
    ) -> None:
        super().__init__(serialization_dir, every, unit, keys)
        self.path = Path(serialization_dir) / file_name
        self._columns: List[str] = []

    def begin(self, epoch: int, step: int) -> None:
        """Remove the rows after the checkpoint."""
        if not self.path.exists():
            return
        columns, rows = self._read()
        kept = [row for row in rows if _before(row, epoch, step)]
        self._replace(columns if kept else [], kept)

    def write(self, reading: Reading) -> None:
        """Add a row, and columns for its new values."""
        row = {
            f"{part}_{name}": repr(value)
            for part, values in reading.scalars.items()
            for name, value in values.items()
        }
        row.update(epoch=str(reading.epoch), step=str(reading.step))
        if self.unit == "steps" and "training" in reading.scalars:
            assert self.trainer is not None
            row["batch"] = str(self.trainer._batches_in_epoch_completed)
        new = [name for name in dict.fromkeys([*PLACE, *row]) if name not in self._columns]
        if new:
            self._replace(self._columns + new, self._read()[1] if self._columns else [])
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    def _read(self) -> Tuple[List[str], List[Row]]:
        whole, _, _ = self.path.read_text().rpartition("\n")  # without an incomplete line
        reader = csv.DictReader(whole.splitlines())
        return list(reader.fieldnames or []), list(reader)

    def _replace(self, columns: List[str], rows: List[Row]) -> None:
        """Replace the file atomically."""
        self._columns = columns
        if not columns:
            self.path.unlink(missing_ok=True)
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.path, text.getvalue())


def _before(row: Row, epochs: int, batches: int) -> bool:
    """Return whether a row is of the first `epochs`, or the first `batches` of the next one."""
    epoch = int(row["epoch"])
    return epoch < epochs or (
        epoch == epochs and bool(row["batch"]) and int(row["batch"]) <= batches
    )
