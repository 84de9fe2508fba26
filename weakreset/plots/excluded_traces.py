"""Devices that are not used, or only up to a pulse, as they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from weakreset.fitting import FitSet, FitStatus
from weakreset.plots.panels import label_outer, panel_grid, short_name, shortened
from weakreset.plots.style import PALETTE, styled, tag_simulated_figure
from weakreset.traces import Exclusion, PulseTrace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EXCLUDED_SHOWN", "excluded_traces", "with_excluded_traces"]

EXCLUDED_SHOWN = 12
"""Panels of a report or a window: each takes a tenth of a second."""

_DECADE = 10.0  # more in one trace needs a logarithmic axis


def with_excluded_traces(fits: FitSet) -> dict[str, Exclusion]:
    """By device: what was excluded of it, for devices that are excluded whole or cut where they broke down."""
    known = {fit.device for fit in fits if fit.status is FitStatus.EXCLUDED}
    found: dict[str, Exclusion] = {}
    for item in fits.traces.exclusions:
        name = f"{item.device}#{item.cycle}" if item.cycle else item.device
        if item.trace is not None and len(item.trace) and (item.pulse is not None or name in known):
            found.setdefault(name, item)
    return found


@styled
def excluded_traces(fits: FitSet, devices: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """A panel a device: resistance against pulses as it was read, why it is excluded, and from which pulse on.

    Parameters
    ----------
    fits : FitSet
    devices : sequence of str, optional
        Which to draw; those of `with_excluded_traces(fits)` unless given.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = with_excluded_traces(fits)
    names = list(found) if devices is None else [name for name in devices if name in found]
    frame, place, panels = panel_grid(len(names), ax, 1.9, 2.4, most_columns=4, margin=0.2)
    if not names:
        place.text(0.5, 0.5, "no excluded device has a trace", ha="center")
        return frame
    for panel, name in zip(panels, names, strict=True):
        item = found[name]
        if item.trace is not None:
            _draw(panel, item.trace, item.pulse)
        title = f"{short_name(name, 28)}\n{shortened(item.reason, 36)}"
        panel.set_title(title, loc="left", fontsize=7, parse_math=False)
    label_outer(panels, "pulses since SET", "R (Ω)")
    if fits.traces.simulated:
        tag_simulated_figure(place)
    return frame


def _draw(ax: Axes, trace: PulseTrace, cut: int | None) -> None:
    """All reads; those that are used in another colour than those that are not."""
    good = np.zeros(len(trace), dtype=bool) if cut is None else trace.pulses < cut
    large = len(trace) > 200
    for chosen, colour in ((good, PALETTE["blue"]), (~good, PALETTE["vermillion"])):
        ax.plot(trace.pulses[chosen], trace.resistance_ohm[chosen], ".", ms=2, color=colour, rasterized=large)
    low, high = float(trace.resistance_ohm.min()), float(trace.resistance_ohm.max())
    if 0 < _DECADE * low < high:
        ax.set_yscale("log")
    elif low == high:  # matplotlib would show a range of its own around one value
        ax.set_ylim(0.9 * low, 1.1 * high)
