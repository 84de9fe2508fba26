"""Panels of a figure, laid out and named alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weakreset.plots.style import axis_label, grid_shape, panel_place, side_by_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

__all__ = ["LEGEND_IN", "PANEL_IN", "density_axes", "panel_grid"]

PANEL_IN = 1.3
"""Least width of a panel: two beside each other in a column of a paper."""

LEGEND_IN = 1.35
"""Width of an entry of a legend that stands above the panels."""


def panel_grid(n: int, ax: Axes | None, panel_height: float) -> tuple[Axes, SubFigure, list[Axes]]:
    """`ax`, or that of a new figure of fitting size; its place, and `n` panels there in up to three columns."""
    rows, columns = grid_shape(max(1, n), side_by_side(ax, PANEL_IN, 3))
    frame, place = panel_place(ax, 3.2 * columns, panel_height * rows + 0.3)
    panels = list(place.subplots(rows, columns, squeeze=False).flat)
    for panel in panels[n:]:
        panel.set_axis_off()
    return frame, place, panels[:n]


def density_axes(ax: Axes, name: str, unit: str, title: str) -> None:
    """Name the axes of a panel that shows the density of parameter `name`."""
    ax.set(xlabel=axis_label(name, unit), ylabel="density", yticks=[])
    ax.set_ylim(bottom=0)
    ax.set_title(title, loc="left", fontsize=8)
    ax.locator_params(axis="x", nbins=5)
