"""The style of plots: a palette for the colour-blind, and light axes."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, List

if TYPE_CHECKING:  # Matplotlib is imported with the first plot: it takes half a second
    from matplotlib.figure import Figure

# Of Okabe & Ito (2008), "Color Universal Design".
COLOURS = {
    "training": "#0072B2",
    "validation": "#D55E00",
    "truth": "#009E73",
    "prediction": "#D55E00",
    "best": "#999999",
}
RUNS = (  # to tell runs apart, in this order; then dashed ones
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
FORMATS = ("png", "svg")
_RC: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "legend.fontsize": 8,
    "figure.titlesize": 10,
    "svg.hashsalt": "structured_energy",  # so that the same plot is the same file
}


@contextmanager
def in_style() -> Iterator[None]:
    """Draw in the common style inside the context, or in the decorated function."""
    import matplotlib

    with matplotlib.rc_context(_RC):
        yield


def whole_numbers(axis: Any) -> None:
    """Set the ticks of x to whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def save(figure: "Figure", folder: Path, name: str) -> List[Path]:
    """Write the figure as `name.png` and `name.svg`, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{ending}" for ending in FORMATS]
    with in_style():
        for path in paths:
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=130, metadata=metadata)
    return paths
