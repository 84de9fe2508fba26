"""Where on the wafer, and where on a die, devices are good, late or gone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from weakreset.fitting import DeviceFit, FitSet
from weakreset.plots.style import PALETTE, panel_place, styled, tag_simulated_figure
from weakreset.population.defects import name_defects
from weakreset.traces.die_places import Place, device_places, wafer_places

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["die_map", "has_die_map", "has_wafer_map", "wafer_map"]

Groups = dict[Place, list[DeviceFit]]
Quantity = tuple[str, Callable[[list[DeviceFit]], float]]

_MOST_WAFERS = 4  # a row of pictures each
_MOST_NUMBERS = 120  # places whose number can still be read
_SIDE_IN = 2.5
_YIELD = "yield (%)"
_GOOD_YIELD = 80.0


def has_wafer_map(fits: FitSet) -> bool:
    """Whether the names of dies say where they lie, for two of them or more."""
    return bool(wafer_places(_traces(fits)))


def has_die_map(fits: FitSet) -> bool:
    """Whether columns say row and column of the devices."""
    return bool(device_places(_traces(fits)))


@styled
def wafer_map(fits: FitSet, ax: Axes | None = None) -> Axes:
    """A row a wafer (four at most): R0 and first slope, medians of each die, and its yield.

    Parameters
    ----------
    fits : FitSet
        Its traces have a column `die` whose names are places: `X1Y-2`, `3,4`, `r2c5`.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    wafers = dict(list(wafer_places(_traces(fits)).items())[:_MOST_WAFERS])
    return _maps(fits, {f"wafer {name}" if name else "": at for name, at in wafers.items()}, ("x", "y"), ax)


@styled
def die_map(fits: FitSet, ax: Axes | None = None) -> Axes:
    """The same by row and column of the device on its die: its own numbers, or the medians over all dies.

    Parameters
    ----------
    fits : FitSet
        Its traces have the columns `row` and `col`.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    return _maps(fits, {"": device_places(_traces(fits))}, ("col", "row"), ax)


def _traces(fits: FitSet) -> list[Any]:
    return [*fits.traces, *(item.trace for item in fits.traces.exclusions if item.trace is not None)]


def _maps(fits: FitSet, places: Mapping[str, Mapping[str, Place]], words: tuple[str, str], ax: Axes | None) -> Axes:
    from matplotlib.ticker import MaxNLocator

    shown = _quantities(fits)
    frame, place = panel_place(ax, _SIDE_IN * len(shown) + 0.6, _SIDE_IN * max(1, len(places)) + 0.2)
    if not any(places.values()):
        place.text(0.5, 0.5, "no column says where the devices lie", ha="center")
        return frame
    groups = [_grouped(fits, of) for of in places.values()]
    panels = place.subplots(len(places), len(shown), squeeze=False)
    for column, (label, value) in zip(panels.T, shown, strict=True):
        found = [{at: value(members) for at, members in own.items()} for own in groups]
        ends = _ends([number for own in found for number in own.values()], label)
        for panel, name, numbers in zip(column, places, found, strict=True):
            _draw(panel, numbers, ends)
            panel.set_title(f"{name}  {label}".strip(), loc="left", fontsize=8, parse_math=False)
            panel.set(xlabel=words[0], ylabel=words[1])
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(integer=True))
            if words[1] == "row":  # as on the screen of a tester: row 0 at the top
                panel.invert_yaxis()
    if fits.traces.simulated:
        tag_simulated_figure(place)
    return frame


def _grouped(fits: FitSet, of: Mapping[str, Place]) -> Groups:
    groups: Groups = {}
    for fit in fits:
        if fit.device in of:
            groups.setdefault(of[fit.device], []).append(fit)
    return groups


def _quantities(fits: FitSet) -> tuple[Quantity, ...]:
    slope = fits.drift.trend or fits.drift.parameters[0]
    bad = {name for name, _ in name_defects(fits)}

    def median(number: str, scale: float) -> Callable[[list[DeviceFit]], float]:
        def of(members: list[DeviceFit]) -> float:
            known = [e.value for m in members if (e := m.estimates.get(number)) is not None and e.value is not None]
            return scale * float(np.median(known)) if known else math.nan

        return of

    def good(members: list[DeviceFit]) -> float:
        return 100.0 * sum(member.device not in bad for member in members) / len(members)

    percent = fits.drift.units[slope] == "1/pulse"  # as the tables say it
    unit = "% a pulse" if percent else fits.drift.units[slope]
    return (
        ("R0 (kΩ)", median("r0_ohm", 1e-3)),
        (f"{slope} ({unit})", median(slope, 100.0 if percent else 1.0)),
        (_YIELD, good),
    )


def _ends(numbers: list[float], label: str) -> tuple[float, float]:
    """Of the colours, the same for all wafers; a yield is seen against 100 %."""
    known = [number for number in numbers if math.isfinite(number)]
    if label == _YIELD:
        return min([_GOOD_YIELD, *known]), 100.0
    low, high = min(known, default=0.0), max(known, default=1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _draw(ax: Axes, numbers: Mapping[Place, float], ends: tuple[float, float]) -> None:
    across, up = (np.array([place[k] for place in numbers]) for k in (0, 1))
    grid = np.full((np.ptp(up) + 1, np.ptp(across) + 1), np.nan)
    for (x, y), number in numbers.items():
        grid[y - up.min(), x - across.min()] = number
    edges = (across.min() - 0.5, across.max() + 0.5, up.min() - 0.5, up.max() + 0.5)
    low, high = ends
    ax.imshow(grid, origin="lower", extent=edges, cmap="viridis", vmin=low, vmax=high, aspect="auto")
    if len(numbers) > _MOST_NUMBERS:
        ax.figure.colorbar(ax.images[0], ax=ax, shrink=0.8)
        return
    largest = max((abs(number) for number in numbers.values() if math.isfinite(number)), default=0.0)
    decimals = min(6, max(0, 2 - math.floor(math.log10(largest)))) if largest else 0  # three figures of the largest
    for (x, y), number in numbers.items():  # the number itself says more than a bar of colours
        light = not math.isfinite(number) or number > low + 0.6 * (high - low)
        text = f"{number:.{decimals}f}" if math.isfinite(number) else "–"
        colour = PALETTE["black"] if light else "white"
        ax.text(x, y, text, ha="center", va="center", fontsize=6.5, color=colour, parse_math=False)
