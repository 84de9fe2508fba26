"""What each imperfection costs: differences to "all on", ranked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ablation_bars"]


@styled
def ablation_bars(effects: Sequence[Mapping[str, Any]], *, title: str = "", ax: Axes | None = None) -> Axes:
    """Bars of the accuracy gained against "all on", with 95 % intervals.

    Parameters
    ----------
    effects : sequence of mappings
        As in `Ablation.to_dict()["effects"]`: condition, mean, half_width (fractions), adjusted_p_value.
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes
        Filled bars: different from "all on" after correction for the number of tests; hollow ones: not shown.
    """
    ax = new_axes(ax, 6.2, 0.8 + 0.27 * len(effects))
    ordered = sorted(effects, key=lambda effect: float(effect["mean"]))
    for y, effect in enumerate(ordered):
        mean, half = 100 * float(effect["mean"]), 100 * float(effect["half_width"])
        certain = float(effect["adjusted_p_value"]) < 0.05
        colour = PALETTE["blue"] if mean >= 0 else PALETTE["vermillion"]
        ax.barh(y, mean, color=colour if certain else "none", edgecolor=colour, height=0.65)
        if math.isfinite(half):
            ax.errorbar(mean, y, xerr=half, color=PALETTE["black"], lw=0.9, capsize=2)
    ax.set_yticks(range(len(ordered)), [str(effect["condition"]) for effect in ordered])
    ax.axvline(0.0, color=PALETTE["black"], lw=0.8)
    ax.set_xlabel('test accuracy less that of "all on" (points, 95 % interval over seeds)')
    if title:
        ax.set_title(title, loc="left")
    tag_simulated(ax)
    return ax
