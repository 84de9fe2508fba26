"""Example devices with their fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from weakreset.fitting import DeviceFit, FitSet, FitStatus
from weakreset.plots.panels import LEGEND_IN, label_outer, panel_grid, short_name, shortened
from weakreset.plots.style import PALETTE, side_by_side, styled, tag_simulated_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

__all__ = ["STATUS_WORDS", "draw_fit", "example_devices", "traces_with_fits"]

STATUS_WORDS = {status: status.value for status in FitStatus}
"""One name for a status in tables, pictures and files; `FitStatus.sentence` says what it means."""


def example_devices(fits: FitSet, n: int = 9) -> list[str]:
    """Devices worth a look: of every status in proportion, spread from small to large change.

    The choice depends on the fits only, so a report shows the same devices each time.
    """
    statuses = [status for status in FitStatus if status is not FitStatus.EXCLUDED]
    groups = [[fit for fit in fits if fit.status is status and len(fit.pulses)] for status in statuses]
    total = sum(len(group) for group in groups)
    chosen: list[DeviceFit] = []
    for group in groups:
        share = min(len(group), max(1, round(n * len(group) / total))) if group else 0
        ordered = sorted(group, key=lambda fit: float(fit.log_ratio[-1]))
        chosen += [ordered[round((i + 0.5) * len(ordered) / share - 0.5)] for i in range(share)]
    names = [fit.device for fit in chosen]
    names += [fit.device for group in groups for fit in group if fit.device not in set(names)]
    return names[:n]


@styled
def traces_with_fits(fits: FitSet, devices: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """A panel a device: ln(R/R0) against pulses, fitted curve, knee with its interval, RTN steps.

    Parameters
    ----------
    fits : FitSet
    devices : sequence of str, optional
        Which to draw; `example_devices(fits)` if not given.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    names = example_devices(fits) if devices is None else list(devices)
    frame, place, panels = panel_grid(len(names), ax, 2.3, 3.1)
    if not names:
        place.text(0.5, 0.5, "no device was fitted", ha="center")
        return frame
    for panel, name in zip(panels, names, strict=True):
        fit = fits[name]
        draw_fit(panel, fit)
        title = fit.excluded_because or STATUS_WORDS[fit.status]
        panel.set_title(shortened(f"{short_name(name, 24)}: {title}", 46), loc="left", fontsize=8, parse_math=False)
    label_outer(panels, "RESET pulses since SET", "ln(R/R$_0$)")
    _legend(place, panels, side_by_side(ax, LEGEND_IN, 4))
    if fits.traces.simulated:
        tag_simulated_figure(place)
    return frame


def draw_fit(ax: Axes, fit: DeviceFit) -> None:
    """Trace, fitted curve, knee interval and RTN steps of one device."""
    orange = PALETTE["orange"]
    ax.plot(
        fit.pulses, fit.log_ratio, ".", ms=1.6, color=PALETTE["grey"], rasterized=len(fit.pulses) > 200, label="reads"
    )
    if not fit.numbers:
        return
    ax.plot(fit.pulses, fit.drift_at(fit.pulses), color=PALETTE["blue"], lw=1.5, label="fitted drift")
    if fit.rtn.steps or fit.rtn.starts_high:
        ax.plot(
            fit.pulses, fit.curve(), color=PALETTE["vermillion"], lw=0.9, drawstyle="steps-post",
            label="drift + telegraph steps",
        )
    knee = fit.knee
    if knee is not None and knee.value is not None:
        symbol = fit.drift[fit.drift.knee].symbol
        ax.axvline(knee.value, color=orange, lw=1.1, ls="--", label=f"knee {symbol}, 95 % interval".replace(" ,", ","))
        if knee.low is not None and knee.high is not None:
            ax.axvspan(knee.low, knee.high, color=orange, alpha=0.3, lw=0)


def _legend(place: SubFigure, panels: Sequence[Axes], columns: int) -> None:
    entries: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    place.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=columns, markerscale=4)
