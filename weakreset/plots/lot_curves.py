"""What a lot does over pulses, in ohms, and how its parts differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from weakreset.plots.all_traces import Curve, quantiles
from weakreset.plots.style import COLOURS, PALETTE, new_axes, styled, tag_simulated
from weakreset.traces import TraceSet
from weakreset.traces.group_labels import group_labels
from weakreset.traces.lot_sentence import counted_devices

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["lot_curves"]

_MOST_GROUPS = 6  # lines that can be told apart
_MOST_PULSES = 300  # a line of more looks the same
_WIDE_RATIO = 10.0  # from here on only a logarithmic axis shows the lower half of the devices


@styled
def lot_curves(traces: TraceSet, ax: Axes | None = None) -> Axes:
    """Resistance of the devices against pulses: median, 50 % and 90 % of them; a median a lot, wafer, file or die.

    Parameters
    ----------
    traces : TraceSet
        Split by the first of lot, wafer, file and die that has two to six groups.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    curves = _in_kilohm(traces)
    pulses, bands = quantiles(list(curves.values()), (0.05, 0.25, 0.5, 0.75, 0.95))
    if len(pulses):
        grey = PALETTE["grey"]
        ax.fill_between(pulses, bands[0], bands[4], color=grey, alpha=0.2, lw=0, label="90 % of devices")
        ax.fill_between(pulses, bands[1], bands[3], color=grey, alpha=0.35, lw=0, label="50 % of devices")
        ax.plot(pulses, bands[2], color=PALETTE["black"], lw=1.6, label="median device")
        if np.nanmax(bands) > _WIDE_RATIO * np.nanmin(bands):
            ax.set_yscale("log")
    elif len(curves) <= len(COLOURS):  # too few for bands: each on its own
        for colour, (name, curve) in zip(COLOURS, curves.items(), strict=False):
            ax.plot(*curve, color=PALETTE[colour], lw=0.8, label=name)
    else:  # never read at the same pulses
        for curve in curves.values():
            ax.plot(*curve, color=PALETTE["grey"], lw=0.5)
    for colour, (name, of) in zip(COLOURS, _groups(traces, curves).items(), strict=False):
        ax.plot(*_median(of), color=PALETTE[colour], lw=1.0, label=f"{name} ({len(of)})")
    if ax.get_legend_handles_labels()[0]:
        for text in ax.legend(loc="upper left").get_texts():
            text.set_parse_math(False)  # names of lots, files and devices are no formulas
    ax.set(xlabel="pulses since SET", ylabel="resistance (kΩ)")
    ax.set_title(counted_devices(len({trace.device for trace in traces}), len(traces)), loc="left")
    if traces.simulated:
        tag_simulated(ax)
    return ax


def _in_kilohm(traces: TraceSet) -> dict[str, Curve]:
    """Curves by device, at the same pulses in all traces, so that medians meet; no more of them than show."""
    pulses = np.unique(np.concatenate([trace.pulses for trace in traces])) if len(traces) else np.empty(0)
    shown = pulses[:: -(-len(pulses) // _MOST_PULSES) or 1]
    curves = {}
    for trace in traces:
        kept = np.isin(trace.pulses, shown) if len(shown) < len(pulses) else slice(None)
        curves[trace.key] = (trace.pulses[kept], trace.resistance_ohm[kept] / 1e3)
    return curves


def _median(curves: list[Curve]) -> Curve:
    pulses, rows = quantiles(curves, (0.5,))
    return pulses, rows[0]


def _groups(traces: TraceSet, curves: Mapping[str, Curve]) -> dict[str, list[Curve]]:
    """Curves by the name of the group; none where no column has few enough of them."""
    found = group_labels(traces)
    files = {trace.key: PurePath(trace.source).name for trace in traces if trace.source}
    for column, of in (*((c, found.get(c, {})) for c in ("lot", "wafer")), ("", files), ("die", found.get("die", {}))):
        names = sorted(set(of.values()))
        if 2 <= len(names) <= _MOST_GROUPS:
            return {
                f"{column} {name}".strip(): [curves[key] for key, own in of.items() if own == name and key in curves]
                for name in names
            }
    return {}
