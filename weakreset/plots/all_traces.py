"""Every trace at once, with the quantiles of the population."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated
from weakreset.traces import TraceSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["all_traces"]

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]

_MOST_LINES = 300  # more become one dark area
_LEAST_DEVICES = 5  # quantiles over fewer are single devices


@styled
def all_traces(traces: TraceSet, ax: Axes | None = None) -> Axes:
    """ln(R/R0) of all devices against RESET pulses, with median and 5 to 95 % band.

    Parameters
    ----------
    traces : TraceSet
        Of more than 300 traces, 300 evenly spaced in the file order are drawn; quantiles use all.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    curves = [trace.log_ratio() for trace in traces]
    step = max(1, -(-len(curves) // _MOST_LINES))
    for pulses, log_ratio in curves[::step]:
        ax.plot(pulses, log_ratio, color=PALETTE["sky"], lw=0.5, alpha=0.45, rasterized=True, zorder=1)
    pulses, bands = _quantiles(curves)
    if len(pulses):
        shade = PALETTE["grey"]
        ax.fill_between(pulses, bands[0], bands[2], color=shade, alpha=0.3, lw=0, label="5 to 95 % of devices")
        ax.plot(pulses, bands[1], color=PALETTE["black"], lw=1.6, label="median device")
        ax.legend(loc="upper left")
    shown = "" if step == 1 else f" ({len(curves[::step])} drawn)"
    ax.set(xlabel="RESET pulses since SET", ylabel="ln(R/R$_0$)")
    ax.set_title(f"{len(curves)} devices{shown}", loc="left")
    if traces.simulated:
        tag_simulated(ax)
    return ax


def _quantiles(curves: list[Curve]) -> Curve:
    """At pulses that at least half of the devices (and 5) were read at."""
    if not curves:
        return np.empty(0, dtype=np.int64), np.empty((3, 0))
    pulses = np.concatenate([p for p, _ in curves])
    values = np.concatenate([v for _, v in curves])
    order = np.argsort(pulses, kind="stable")
    numbers, starts = np.unique(pulses[order], return_index=True)
    groups = np.split(values[order], starts[1:])
    least = max(_LEAST_DEVICES, len(curves) // 2)
    kept = [i for i, group in enumerate(groups) if len(group) >= least]
    if not kept:
        return numbers[:0], np.empty((3, 0))
    return numbers[kept], np.array([np.quantile(groups[i], (0.05, 0.5, 0.95)) for i in kept]).T
