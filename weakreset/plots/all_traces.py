"""Every trace at once, with the quantiles of the population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated
from weakreset.traces import TraceSet
from weakreset.traces.lot_sentence import counted_devices

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curve", "all_traces", "quantiles"]

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
    from matplotlib.collections import LineCollection

    ax = new_axes(ax)
    curves = [trace.log_ratio() for trace in traces]
    step = max(1, -(-len(curves) // _MOST_LINES))
    lines = [np.column_stack(curve) for curve in curves[::step]]
    sky = PALETTE["sky"]  # one collection: three hundred single lines take four times as long
    ax.add_collection(LineCollection(lines, colors=sky, lw=0.5, alpha=0.45, rasterized=True, zorder=1))
    ax.autoscale_view()
    pulses, bands = quantiles(curves, (0.05, 0.5, 0.95))
    if len(pulses):
        shade = PALETTE["grey"]
        ax.fill_between(pulses, bands[0], bands[2], color=shade, alpha=0.3, lw=0, label="5 to 95 % of devices")
        ax.plot(pulses, bands[1], color=PALETTE["black"], lw=1.6, label="median device")
        ax.legend(loc="upper right" if bands[1][-1] < 0 else "upper left")  # where falling curves are not
    shown = "" if step == 1 else f" ({len(curves[::step])} drawn)"
    counted = counted_devices(len({trace.device for trace in traces}), len(traces))
    ax.set(xlabel="RESET pulses since SET", ylabel="ln(R/R$_0$)")
    ax.set_title(f"{counted}{shown}", loc="left")
    if traces.simulated:
        tag_simulated(ax)
    return ax


def quantiles(curves: Sequence[Curve], levels: Sequence[float]) -> Curve:
    """At pulses that at least half of the devices (and 5) were read at, and a row a level."""
    if not curves:
        return np.empty(0, dtype=np.int64), np.empty((len(levels), 0))
    pulses = np.concatenate([p for p, _ in curves])
    values = np.concatenate([v for _, v in curves])
    numbers, place, counts = np.unique(pulses, return_inverse=True, return_counts=True)
    order = np.lexsort((values, place))  # the reads of a pulse together, from small to large
    kept = counts >= max(_LEAST_DEVICES, len(curves) // 2)
    starts, last = (np.cumsum(counts) - counts)[kept], counts[kept] - 1
    ordered = values[order]
    rows = []
    for level in levels:  # between neighbours in proportion, as np.quantile does
        at = level * last
        below = np.floor(at).astype(np.int64)
        low, high = ordered[starts + below], ordered[starts + np.minimum(below + 1, last)]
        rows.append(low + (at - below) * (high - low))
    return numbers[kept], np.array(rows).reshape(len(levels), int(kept.sum()))
