"""What the devices of two or more files do over pulses, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weakreset.display import printable
from weakreset.parameter_file import ParameterFile, drift_band
from weakreset.parameter_file.over_pulses import usual_pulses
from weakreset.plots.style import FILE_LOOKS, PALETTE, new_axes, resistance_over_pulses, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["drift_comparison"]


@styled
def drift_comparison(files: Sequence[ParameterFile], ax: Axes | None = None) -> Axes:
    """Median device and 90 % of the devices of each file, drift alone.

    Parameters
    ----------
    files : sequence of ParameterFile
        One to six.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterFileError
        Devices of a file cannot be drawn, because a law is not identifiable.
    """
    last = min(usual_pulses(file) for file in files)
    bands = [drift_band(file, last) for file in files]
    ax = new_axes(ax, 6.0, 3.6)
    for file, band, (colour, style) in zip(files, bands, FILE_LOOKS, strict=False):
        low, middle, high = 1e-3 * band.ohm
        name = printable(file.name).replace("$", r"\$")
        ax.fill_between(band.pulses, low, high, color=PALETTE[colour], alpha=0.15, lw=0)
        ax.plot(band.pulses, middle, color=PALETTE[colour], ls=style, label=f"{name}: median, 90 % of devices")
    lowest, highest = min(float(band.ohm.min()) for band in bands), max(float(band.ohm.max()) for band in bands)
    return resistance_over_pulses(ax, last, lowest, highest)
