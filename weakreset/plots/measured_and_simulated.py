"""Measured traces and those of the model, side by side in the same axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weakreset.plots.all_traces import all_traces
from weakreset.plots.style import panel_place, styled
from weakreset.traces import TraceSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["measured_and_simulated"]


@styled
def measured_and_simulated(measured: TraceSet, simulated: TraceSet, ax: Axes | None = None) -> Axes:
    """Two panels with one scale: `all_traces` of what was measured, and of what was simulated.

    Parameters
    ----------
    measured, simulated : TraceSet
        From `load_traces` and `simulate_traces`.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    frame, place = panel_place(ax, 8.4, 3.6)
    left, right = place.subplots(1, 2, sharex=True, sharey=True)
    for panel, traces in ((left, measured), (right, simulated)):
        all_traces(traces, panel)
    left.set_title(f"given: {left.get_title(loc='left')}", loc="left")
    right.set(ylabel="")
    return frame
