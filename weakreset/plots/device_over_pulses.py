"""What the devices of a parameter file do over pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weakreset.parameter_file import ParameterFile
from weakreset.parameter_file.over_pulses import drift_band
from weakreset.plots.style import PALETTE, new_axes, resistance_over_pulses, styled
from weakreset.twin import simulate_population

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["device_over_pulses"]

_EXAMPLES = 6


@styled
def device_over_pulses(
    params: ParameterFile, ax: Axes | None = None, *, n_pulses: int | None = None, seed: int = 0
) -> Axes:
    """Resistance against pulses: median and 90 % of the devices by drift alone, and six devices with all their noise.

    Parameters
    ----------
    params : ParameterFile
    ax : matplotlib.axes.Axes, optional
    n_pulses : int, optional
        As many as the traces behind the file had, or about twice the median knee, unless given.
    seed : int
        Of the devices that are drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterFileError
        The devices cannot be simulated so far, because a law is not identifiable.
    """
    band = drift_band(params, n_pulses, seed)
    ax = new_axes(ax, 6.0, 3.6)
    kilo = 1e-3
    last = int(band.pulses[-1])
    examples = simulate_population(params, _EXAMPLES, last, seed)
    for row in examples.resistance_ohm():
        ax.plot(examples.pulses, kilo * row, color=PALETTE["sky"], lw=0.6, alpha=0.8, rasterized=len(row) > 3000)
    ax.plot([], [], color=PALETTE["sky"], lw=0.8, label=f"{_EXAMPLES} devices with noise")
    ax.fill_between(
        band.pulses, kilo * band.ohm[0], kilo * band.ohm[2], color=PALETTE["grey"], alpha=0.3, lw=0,
        label="90 % of devices, drift alone",
    )
    ax.plot(band.pulses, kilo * band.ohm[1], color=PALETTE["black"], label="median device")
    return resistance_over_pulses(ax, last, float(band.ohm.min()), float(band.ohm.max()))
