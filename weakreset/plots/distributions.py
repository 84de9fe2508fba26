"""Measured against simulated distributions of ln R."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weakreset.plots.panels import panel_grid
from weakreset.plots.style import PALETTE, styled, tag_simulated_figure
from weakreset.validation import Distribution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["distributions"]


@styled
def distributions(
    found: Sequence[Distribution], figure: Figure | None = None, *, simulated: bool = False
) -> Figure:
    """A panel a pulse count: share of devices below a value, measured as points, 95 % of the replicas as a band.

    Parameters
    ----------
    found : sequence of Distribution
        `Verdict.distributions`.
    figure : matplotlib.figure.Figure, optional
    simulated : bool
        Whether the "measured" traces were themselves simulated.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = panel_grid(len(found), figure, 2.6)
    for ax, item in zip(panels, found, strict=True):
        share = 100.0 * item.probabilities
        ax.fill_betweenx(share, item.low, item.high, color=PALETTE["blue"], alpha=0.25, lw=0, label="95 % of replicas")
        ax.plot(item.middle, share, color=PALETTE["blue"], lw=0.9)
        ax.plot(item.measured, share, "o", ms=2.5, mfc="white", mew=0.8, color=PALETTE["black"], label="traces")
        ax.set(xlabel="ln(R / Ω)", ylabel="share of devices below (%)", ylim=(0, 100))
        ax.set_title(f"pulse {item.pulse}", loc="left")
    if panels:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    if simulated:
        tag_simulated_figure(figure)
    return figure
