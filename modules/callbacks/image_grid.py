"""A grid of small images, with a line of text below each."""

from typing import TYPE_CHECKING, List, NamedTuple, Optional, Sequence

import numpy as np

if TYPE_CHECKING:  # Matplotlib is imported with the first drawing: it takes half a second
    from matplotlib.figure import Figure

TILE = 1.1  # inches
NOTE = 0.22  # the height of the text, relative to a tile


class Column(NamedTuple):
    """A column of a grid.

    # Fields

    title : the text above the column.
    tiles : images with values in [0, 1], all of one size: `(height, width[, 1 or 3])`.
    notes : the text below each tile.
    """

    title: str
    tiles: List[np.ndarray]
    notes: Optional[List[str]] = None


def draw_grid(columns: Sequence[Column], title: str) -> "Figure":
    """Draw the columns side by side, their n-th tiles in one row.

    All tiles form one image of the figure; an axis for each would take ten times as long.
    """
    from matplotlib.figure import Figure

    height, width = columns[0].tiles[0].shape[:2]
    num_rows = len(columns[0].tiles)
    gap = 1 + width // 16
    step = height + gap + int(NOTE * height), width + gap
    grid = np.ones((num_rows * step[0], len(columns) * step[1], 3))
    size = TILE * len(columns), TILE * num_rows * step[0] / step[1]
    top = 0.55  # inches, for the titles
    figure = Figure(figsize=(size[0], size[1] + top), dpi=110)
    axis = figure.add_axes((0.0, 0.0, 1.0, size[1] / (size[1] + top)))
    axis.set_axis_off()
    for number, column in enumerate(columns):
        left = number * step[1]
        middle = left + width / 2
        axis.text(middle, -1.5 * gap, column.title, ha="center", va="bottom", fontsize=8)
        for row, tile in enumerate(column.tiles):
            above = row * step[0]
            values = tile[..., None] if tile.ndim == 2 else tile
            grid[above : above + height, left : left + width] = np.clip(values, 0.0, 1.0)
            if column.notes is not None:
                below = above + height + 0.5 * gap
                axis.text(middle, below, column.notes[row], ha="center", va="top", fontsize=6.5)
    axis.imshow(grid, interpolation="nearest", aspect="auto")
    figure.text(0.5, 1.0 - 0.08 / (size[1] + top), title, ha="center", va="top", fontsize=9)
    return figure


def pixels_of(figure: "Figure") -> np.ndarray:
    """Return the pixels of the figure `(height, width, 3)`, in bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]
