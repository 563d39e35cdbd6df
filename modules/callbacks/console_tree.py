"""The tree of logged values on the console."""

from itertools import zip_longest
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from allennlp.training import GradientDescentTrainer, TrainerCallback
from rich import box
from rich.table import Table
from rich.text import Text

from ..reporting import PARTS, open_console, tree_of
from .tree_callback import Reading, TreeCallback


@TrainerCallback.register("console-tree")
class ConsoleTreeCallback(TreeCallback):
    """Print the tree as a table with a line for each value, below its nodes.

    A line has the value in training and validation, its change since the previous table, and its
    value in the best epoch so far. Outside a terminal the table is plain text.
    """

    _before: Dict[str, Dict[str, float]] = {}  # the values of the previous table
    _best: Dict[str, float] = {}
    _best_epoch: Optional[int] = None

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Print the table of an epoch that is due."""
        self._best_epoch = metrics.get("best_epoch")
        self._best = {
            name[len("best_validation_") :]: value
            for name, value in metrics.items()
            if name.startswith("best_validation_")
        }
        super().on_epoch(trainer, metrics, epoch, is_primary)

    def write(self, reading: Reading) -> None:
        """Print the table."""
        console = open_console()
        console.print(self._table(reading, console.is_terminal))
        self._before = {**self._before, **reading.scalars}

    def state_dict(self) -> Dict[str, Any]:
        """Return the values of the last table: the changes of a resumed run start from them."""
        return {"before": self._before}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Restore the values of the last table."""
        self._before = dict(state_dict["before"])

    def _table(self, reading: Reading, terminal: bool) -> Table:
        parts = [part for part in PARTS if reading.scalars.get(part)]
        if reading.epoch == self._best_epoch:
            title = f"epoch {reading.epoch}, the best so far"
        else:
            title = f"epoch {reading.epoch}, step {reading.step}"
        frame = box.HEAVY_HEAD if terminal else None
        table = Table(title=Text(title), title_justify="left", box=frame)
        table.add_column("", no_wrap=True)
        for part in parts:
            table.add_column(part, justify="right", no_wrap=True)
            table.add_column("change", justify="right", style="dim", no_wrap=True)
        best = "validation" in parts and self._best
        if best:
            table.add_column(f"best, epoch {self._best_epoch}", justify="right", no_wrap=True)
        names = dict.fromkeys(name for part in parts for name in reading.scalars[part])
        rows = []
        for label, name in _lines(names):
            cells: List[str] = []
            for part in parts if name else ():
                value = reading.scalars[part].get(name)
                before = self._before.get(part, {}).get(name)
                change = None if value is None or before is None else value - before
                cells += [_number(value), _number(change, "+")]
            if best and name:
                cells.append(_number(self._best.get(name)))
            rows.append([label, *cells])
        # All lines are one row of the table, which takes a third of the time. No line is wrapped.
        columns = zip_longest(*rows, fillvalue="")
        table.add_row(*(Text("\n".join(column)) for column in columns))
        return table


def _lines(names: Iterable[str]) -> Iterator[Tuple[str, str]]:
    """Yield the label of each line, and the dotted name of its value, empty for a node."""
    for node in tree_of(sorted(names)).walk():
        if node.path:
            yield "  " * (node.depth - 1) + node.name, ""
        for last, name in node.values.items():
            yield "  " * node.depth + last, name


def _number(value: Optional[float], sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.4g}"
