"""Measured against simulated distributions of ln R."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weakreset.plots.panels import panel_grid
from weakreset.plots.style import PALETTE, styled, tag_simulated_figure
from weakreset.validation import Distribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["distributions"]


@styled
def distributions(
    found: Sequence[Distribution], ax: Axes | None = None, *, simulated: bool = False
) -> Axes:
    """A panel a pulse count: share of devices below a value, measured as points, 95 % of the replicas as a band.

    Parameters
    ----------
    found : sequence of Distribution
        `Verdict.distributions`.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.
    simulated : bool
        Whether the "measured" traces were themselves simulated.

    Returns
    -------
    matplotlib.axes.Axes
    """
    frame, place, panels = panel_grid(len(found), ax, 2.6)
    for panel, item in zip(panels, found, strict=True):
        share = 100.0 * item.probabilities
        blue = PALETTE["blue"]
        panel.fill_betweenx(share, item.low, item.high, color=blue, alpha=0.25, lw=0, label="95 % of replicas")
        panel.plot(item.middle, share, color=blue, lw=0.9)
        panel.plot(item.measured, share, "o", ms=2.5, mfc="white", mew=0.8, color=PALETTE["black"], label="traces")
        panel.set(xlabel="ln(R / Ω)", ylabel="share of devices below (%)", ylim=(0, 100))
        panel.set_title(f"pulse {item.pulse}", loc="left")
    if panels:
        place.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    if simulated:
        tag_simulated_figure(place)
    return frame
