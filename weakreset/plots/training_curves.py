"""Test accuracy of several runs, and what it cost in pulses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from weakreset.plots.style import COLOURS, PALETTE, panel_place, styled, tag_simulated_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TrainingRun", "training_curves"]

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class TrainingRun:
    """One run of `weakreset train`.

    Attributes
    ----------
    name : str
    metrics : sequence of mappings
        The lines of metrics.jsonl: epoch, test_accuracy (a fraction), pulses_mean, ...
    """

    name: str
    metrics: Sequence[Mapping[str, Any]]

    def column(self, key: str) -> tuple[list[float], list[float]]:
        """Epochs and values of `key`, where it is there."""
        rows = [row for row in self.metrics if row.get(key) is not None and row.get("epoch") is not None]
        return [float(row["epoch"]) for row in rows], [float(row[key]) for row in rows]

    @property
    def final_accuracy(self) -> float | None:
        """Test accuracy (a fraction) of the last epoch."""
        values = self.column("test_accuracy")[1]
        return values[-1] if values else None

    @property
    def pulses_mean(self) -> float | None:
        """Pulses a device received on average, at the end; None where nothing was pulsed."""
        values = self.column("pulses_mean")[1]
        return values[-1] if values and any(values) else None


@styled
def training_curves(runs: Sequence[TrainingRun], ax: Axes | None = None, *, simulated: bool = False) -> Axes:
    """Test accuracy against epoch; where devices were pulsed, mean pulses a device on a second panel.

    Parameters
    ----------
    runs : sequence of TrainingRun
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.
    simulated : bool
        Whether the parameter file behind the runs came from simulated traces.

    Returns
    -------
    matplotlib.axes.Axes
    """
    pulsed = any(run.pulses_mean is not None for run in runs)
    frame, place = panel_place(ax, 7.4 if pulsed else 4.4, 3.1)
    panels = place.subplots(1, 2 if pulsed else 1, squeeze=False)[0]
    _draw(panels[0], runs, "test_accuracy", 100.0)
    panels[0].set_ylabel("test accuracy (%)")
    if pulsed:
        _draw(panels[1], [run for run in runs if run.pulses_mean is not None], "pulses_mean", 1.0, runs)
        panels[1].set_ylabel("RESET pulses a device (mean)")
        panels[1].set_ylim(bottom=0)
    handles, labels = panels[0].get_legend_handles_labels()
    place.legend(handles, labels, loc="outside upper center", ncols=min(4, max(1, len(labels))))
    if simulated:
        tag_simulated_figure(place)
    return frame


def _draw(
    ax: Axes, runs: Sequence[TrainingRun], key: str, factor: float, all_runs: Sequence[TrainingRun] | None = None
) -> None:
    from matplotlib.ticker import MaxNLocator

    looks = dict(zip((run.name for run in all_runs or runs), cycle(zip(COLOURS, _MARKERS, strict=True)), strict=False))
    for run in runs:
        colour, marker = looks[run.name]
        epochs, values = run.column(key)
        scaled = [factor * value for value in values]
        label = run.name.replace("$", r"\$").lstrip("_") or "run"
        ax.plot(epochs, scaled, marker=marker, ms=3.5, color=PALETTE[colour], label=label)
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
