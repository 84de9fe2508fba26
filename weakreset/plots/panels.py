"""Panels of a figure, laid out and named alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from weakreset.plots.style import axis_label, grid_shape, panel_place, side_by_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure
    from matplotlib.gridspec import SubplotSpec

__all__ = ["LEGEND_IN", "PANEL_IN", "density_axes", "label_outer", "panel_grid", "short_name", "shortened"]

PANEL_IN = 1.3
"""Least width of a panel: two beside each other in a column of a paper."""

LEGEND_IN = 1.35
"""Width of an entry of a legend that stands above the panels."""


def panel_grid(
    n: int, ax: Axes | None, panel_height: float, panel_width: float = 3.2, most_columns: int = 3, margin: float = 0.3
) -> tuple[Axes, SubFigure, list[Axes]]:
    """`ax`, or that of a new figure of fitting size; its place, and `n` panels there, sizes in inches."""
    rows, columns = grid_shape(max(1, n), side_by_side(ax, PANEL_IN, most_columns))
    frame, place = panel_place(ax, panel_width * columns, panel_height * rows + margin)
    panels = list(place.subplots(rows, columns, squeeze=False).flat)
    for panel in panels[n:]:
        panel.set_axis_off()
    return frame, place, panels[:n]


def label_outer(panels: Sequence[Axes], xlabel: str, ylabel: str) -> None:
    """Name the axes of the panels of a grid at its left and at the end of each column."""
    for i, panel in enumerate(panels):
        columns = cast("SubplotSpec", panel.get_subplotspec()).get_gridspec().ncols
        if i % columns == 0:
            panel.set_ylabel(ylabel)
        if i + columns >= len(panels):
            panel.set_xlabel(xlabel)


def shortened(text: str, most: int) -> str:
    """Cut to `most` signs, with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def short_name(name: str, most: int) -> str:
    """Cut to `most` signs in the middle: names of one lot begin alike, and their ends tell them apart."""
    start = most // 3
    return name if len(name) <= most else f"{name[:start]}…{name[start + 1 - most :]}"


def density_axes(ax: Axes, name: str, unit: str, title: str) -> None:
    """Name the axes of a panel that shows the density of parameter `name`."""
    ax.set(xlabel=axis_label(name, unit), ylabel="density", yticks=[])
    ax.set_ylim(bottom=0)
    ax.set_title(title, loc="left", fontsize=8)
    ax.locator_params(axis="x", nbins=5)
