"""Measured against simulated quantiles of ln(R/R0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated
from weakreset.validation import Envelope

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["envelopes"]


@styled
def envelopes(envelope: Envelope, ax: Axes | None = None, *, simulated: bool = False) -> Axes:
    """Quantiles over devices: measured as points, 95 % of the replicas as bands.

    Parameters
    ----------
    envelope : Envelope
        `Verdict.envelope`.
    ax : matplotlib.axes.Axes, optional
    simulated : bool
        Whether the "measured" traces were themselves simulated.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, 5.6, 3.8)
    colours = [PALETTE[name] for name in ("purple", "sky", "black", "sky", "purple")]
    middle = len(envelope.levels) // 2
    for row, level in enumerate(envelope.levels):
        colour = colours[row] if len(envelope.levels) == len(colours) else PALETTE["blue"]
        band = "model, 95 % of replicas" if row == middle else None
        ax.fill_between(
            envelope.pulses, envelope.low[row], envelope.high[row], color=colour, alpha=0.25, lw=0, label=band
        )
        ax.plot(envelope.pulses, envelope.middle[row], color=colour, lw=0.9)
        ax.plot(
            envelope.pulses, envelope.measured[row], "o", ms=3, mfc="white", color=colour, mew=1.0,
            label="traces" if row == middle else None,
        )
        ax.annotate(
            f"{100 * level:.0f} %", (envelope.pulses[-1], envelope.middle[row, -1]), (6, 0),
            textcoords="offset points", va="center", fontsize=7.5, color=PALETTE["black"],
        )
    ax.set(xlabel="RESET pulses since SET", ylabel="quantiles of ln(R/R$_0$) over devices")
    most = int(envelope.n_devices.max()) if len(envelope.n_devices) else 0
    ax.set_title(f"{most} devices", loc="left")
    ax.legend(loc="upper left")
    if simulated:
        tag_simulated(ax)
    return ax
