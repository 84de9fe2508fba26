"""All checks of a validation at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated
from weakreset.validation import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check_overview"]

_FURTHEST = 3.0  # half-widths of the band: what is further off stands at the edge


@styled
def check_overview(verdict: Verdict, ax: Axes | None = None) -> Axes:
    """A line a check: where the measured figure lies in the interval that holds 95 % of the replicas.

    The interval of every check is drawn from -1 to 1. A figure beyond three of its half widths stands at the edge. A
    check fails by its corrected p-value, so a figure a little outside can pass: some are expected to be.

    Parameters
    ----------
    verdict : Verdict
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    checks = verdict.checks[::-1]
    ax = new_axes(ax, 5.6, 0.6 + 0.2 * max(3, len(checks)))
    ax.axvspan(-1.0, 1.0, color=PALETTE["blue"], alpha=0.15, lw=0)
    ax.axvline(0.0, color=PALETTE["blue"], lw=0.8)
    for passed, colour, marker in ((True, "blue", "o"), (False, "vermillion", "X")):
        rows = [i for i, check in enumerate(checks) if check.passed is passed]
        at = [_place(checks[i].measured, checks[i].low, checks[i].high) for i in rows]
        if rows:
            label = "passed" if passed else "failed"
            ax.plot(at, rows, marker, ms=6, color=PALETTE[colour], label=label, clip_on=False, zorder=3)
    ax.set_yticks(range(len(checks)), [check.name for check in checks])
    ax.set(xlim=(-_FURTHEST, _FURTHEST), ylim=(-0.6, len(checks) - 0.4), ylabel="check")
    ax.set_xticks([-1, 1], ["2.5 %", "97.5 %"])
    # from the right end of the axis: in a narrow figure the names of the checks leave it little room
    ax.set_xlabel("measured figure among the replicas\n(half widths of their 95 % interval)", loc="right")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", lw=0.4, color=PALETTE["grey"], alpha=0.4)
    if checks:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.99), ncols=2)
    if verdict.simulated:
        tag_simulated(ax)
    return ax


def _place(measured: float, low: float, high: float) -> float:
    """Position on the axis, from -3 to 3; an interval without width leaves only its middle or its ends."""
    half = 0.5 * (high - low)
    offset = measured - 0.5 * (high + low)
    scaled = offset / half if half > 0 else _FURTHEST * np.sign(offset)
    return float(np.clip(scaled, -_FURTHEST, _FURTHEST))
