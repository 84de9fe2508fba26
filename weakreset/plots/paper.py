"""Figures as a paper wants them: as wide as a column, letters of 7 points, vectors or 600 dots an inch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from weakreset.errors import UsageError
from weakreset.plots.style import BODY_POINTS, TICK_POINTS, figure_bytes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLUMN_MM", "paper_bytes"]

COLUMN_MM = {"single": 89.0, "double": 183.0}
"""One and two columns of Nature; those of IEEE (88.9 and 182) and ACS (84 and 178) differ by a few millimetres."""

_KINDS = ("png", "svg", "pdf")
_POINTS = 7.0
_MM_AN_INCH = 25.4
_DPI = {"png": 600, "svg": 300, "pdf": 300}  # of vectors only clouds of points, which would be too many, are dots
_SHAPE = 0.72  # height of a panel over its width
_LINE_IN, _LEGEND_IN = 0.13, 0.45  # a line of 7 points with its distance; legend above, label below
_TALLEST_IN = 9.2  # a page without its caption


def paper_bytes(draw: Callable[[Axes], Axes], kind: str = "pdf", width: str = "single") -> bytes:
    """A figure of `weakreset.plots` at the width of a column.

    Parameters
    ----------
    draw : callable
        ax -> ax, such as `lambda ax: d2d_laws(population, ax)`.
    kind : str
        png, svg or pdf.
    width : str
        A key of `COLUMN_MM`. Figures of several panels have as many beside each other as there is room for.

    Raises
    ------
    UsageError
        Another kind or width.
    """
    if kind not in _KINDS or width not in COLUMN_MM:
        widths = " or ".join(COLUMN_MM)
        raise UsageError(f"a picture is one of {', '.join(_KINDS)} and {widths} wide, not {kind} and {width}")
    from matplotlib.text import Text

    inches = COLUMN_MM[width] / _MM_AN_INCH
    figure = new_figure(inches, inches)
    draw(figure.add_subplot())
    grids = [axes.get_gridspec() for axes in figure.axes if axes.axison]
    rows, columns = max(((grid.nrows, grid.ncols) for grid in grids if grid is not None), default=(1, 1))
    lines = max((len(axes.get_yticks()) for axes in figure.axes if axes.axison), default=0)
    height = max(_SHAPE * rows * inches / columns + _LEGEND_IN, lines * rows * _LINE_IN + _LEGEND_IN)
    figure.set_size_inches(inches, min(_TALLEST_IN, height))
    scale = _POINTS / BODY_POINTS
    for text in figure.findobj(Text):
        text.set_fontsize(float(text.get_fontsize()) * scale)
    for axes in figure.axes:  # ticks that are made when it is drawn take their size from here
        axes.tick_params(labelsize=TICK_POINTS * scale)
    return figure_bytes(figure, kind, _DPI[kind])
