"""Measured against simulated spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated
from weakreset.validation import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["spectrum_bands"]


@styled
def spectrum_bands(spectrum: Spectrum, ax: Axes | None = None, *, simulated: bool = False) -> Axes:
    """Power density of the median device in octaves: measured as points, 95 % of the replicas as a band.

    Parameters
    ----------
    spectrum : Spectrum
        `Verdict.spectrum`.
    ax : matplotlib.axes.Axes, optional
    simulated : bool
        Whether the "measured" traces were themselves simulated.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, 5.6, 3.4)
    ax.fill_between(
        spectrum.frequency, spectrum.low, spectrum.high, color=PALETTE["blue"], alpha=0.25, lw=0,
        label="model, 95 % of replicas",
    )
    ax.plot(spectrum.frequency, spectrum.middle, color=PALETTE["blue"], lw=0.9)
    ax.plot(spectrum.frequency, spectrum.measured, "o", ms=4, mfc="white", color=PALETTE["black"], label="traces")
    ax.set(
        xscale="log", yscale="log", xlabel="frequency (1/pulse)", ylabel="power density of ln R (pulses)"
    )
    ax.set_title("median device, without its trend", loc="left")
    ax.legend(loc="upper right")
    if simulated:
        tag_simulated(ax)
    return ax
