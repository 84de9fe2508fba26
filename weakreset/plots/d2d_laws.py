"""Device-to-device laws: what the devices gave, and what was fitted to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model import TruncatedLaw
from weakreset.parameter_file.people import FAMILY_WORDS
from weakreset.plots.panels import LEGEND_IN, density_axes, panel_grid
from weakreset.plots.style import PALETTE, side_by_side, styled, tag_simulated_figure
from weakreset.population import LawFit, Population

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["d2d_laws", "law_range"]


@styled
def d2d_laws(population: Population, ax: Axes | None = None) -> Axes:
    """A panel a parameter: histogram and rug of device estimates, fitted truncated law, truncation.

    Estimates scatter by their own errors too, so a histogram may be wider than the law of the devices.

    Parameters
    ----------
    population : Population
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    laws = list(population.laws.values())
    if population.rtn_amplitude is not None:
        laws.append(population.rtn_amplitude)
    frame, place, panels = panel_grid(len(laws), ax, 2.5)
    entries: dict[str, Any] = {}
    for panel, law in zip(panels, laws, strict=True):
        _panel(panel, law)
        entries |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    columns = side_by_side(ax, LEGEND_IN, 4)
    place.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=columns)
    if population.fits.traces.simulated:
        tag_simulated_figure(place)
    return frame


def _panel(ax: Axes, fit: LawFit) -> None:
    low, high = law_range([fit.law], fit.values)
    values = fit.values[(fit.values >= low) & (fit.values <= high)]
    if len(values):
        n_bins = int(np.clip(2 * len(values) ** 0.5, 6, 40))
        # heights such that histogram and law cover the same window, where devices could be seen at all
        seen = _mass(fit)
        weights = np.full(len(values), seen / (len(fit.values) * (high - low) / n_bins))
        ax.hist(
            values, n_bins, range=(low, high), weights=weights, color=PALETTE["sky"], alpha=0.6,
            label="device estimates",
        )
        ax.plot(values, np.zeros(len(values)), "|", color=PALETTE["blue"], ms=7, alpha=0.6, clip_on=False)
    x = np.linspace(low, high, 400)
    ax.plot(x, np.exp(fit.law.logpdf(x)), color=PALETTE["vermillion"], label="fitted law")
    for edge in (fit.law.lower, fit.law.upper):
        if low <= edge <= high and math.isfinite(edge):
            ax.axvline(edge, color=PALETTE["black"], lw=0.9, ls=":", label="truncation")
    if low < fit.window[1] < high:
        ax.axvspan(fit.window[1], high, color=PALETTE["grey"], alpha=0.18, lw=0, label="beyond what the traces show")
    family = FAMILY_WORDS.get(fit.law.family, fit.law.family)
    density_axes(ax, fit.parameter, fit.unit, f"{family}, {fit.n_informative} of {fit.n_devices} devices")
    ax.set_xlim(_padded(low, high))


def _mass(fit: LawFit) -> float:
    low, high = (float(fit.law.cdf(edge)) for edge in fit.window)
    return high - low if high > low else 1.0


def _padded(low: float, high: float) -> tuple[float, float]:
    return low - 0.02 * (high - low), high + 0.02 * (high - low)


def law_range(laws: list[TruncatedLaw], values: NDArray[np.float64]) -> tuple[float, float]:
    """Interval that shows nearly all of each law, and of `values` all but far outliers."""
    lows, highs = zip(*(_range_of(law, values) for law in laws), strict=True)
    low, high = min(lows), max(highs)
    return (low, high) if high > low else (low - 0.5 * abs(low or 1.0), high + 0.5 * abs(high or 1.0))


def _range_of(law: TruncatedLaw, values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = (float(law.ppf(share)) for share in (0.002, 0.995))
    if len(values):
        q1, q3 = np.quantile(values, (0.25, 0.75))
        near = values[(values >= q1 - 4 * (q3 - q1)) & (values <= q3 + 4 * (q3 - q1))]
        low, high = min(low, float(near.min())), max(high, float(near.max()))
    low = law.lower if math.isfinite(law.lower) and law.lower > low - 0.1 * (high - low) else low
    high = law.upper if math.isfinite(law.upper) and law.upper < high + 0.1 * (high - low) else high
    return low, high
