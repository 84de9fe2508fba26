"""Where the pulses went: how many each device received, layer by layer, and on which inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weakreset.plots.style import COLOURS, PALETTE, panel_place, styled, tag_simulated_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LayerWear", "endurance"]



@dataclass(frozen=True, eq=False)
class LayerWear:
    """Pulses of the devices of one layer.

    Attributes
    ----------
    name : str
    pulses : array of int, shape (n_outputs, n_inputs, ..., 2)
        RESET pulses each device received; the last axis is BL and BLb.
    """

    name: str
    pulses: NDArray[np.int64]

    def by_input(self) -> NDArray[np.float64]:
        """Mean pulses a device by input of the layer, shape (n_inputs,)."""
        result: NDArray[np.float64] = self.pulses.reshape(*self.pulses.shape[:2], -1).mean(axis=(0, 2))
        return result


@styled
def endurance(layers: Sequence[LayerWear], *, knee: float | None = None, ax: Axes | None = None) -> Axes:
    """Share of the devices that received at least so many pulses; and a map of the first layer by input pixel.

    Parameters
    ----------
    layers : sequence of LayerWear
    knee : float, optional
        Median knee of the technology, to judge the pulses by.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
        The map is drawn where the inputs of the first layer form a square, as pixels of one grey image do.
    """
    mapped = layers[0].by_input()
    side = isqrt(len(mapped))
    square = side > 1 and side * side == len(mapped)
    frame, place = panel_place(ax, 7.4 if square else 4.4, 3.1)
    panels = place.subplots(1, 2 if square else 1, squeeze=False)[0]
    _shares(panels[0], layers, knee)
    if square:
        image: Any = panels[1].imshow(mapped.reshape(side, side), cmap="cividis", vmin=0)
        panels[1].set_title(f"layer {layers[0].name}, by input pixel", loc="left")
        panels[1].set_xticks([])
        panels[1].set_yticks([])
        place.colorbar(image, ax=panels[1], label="RESET pulses a device (mean)")
    tag_simulated_figure(place)
    return frame


def _shares(ax: Axes, layers: Sequence[LayerWear], knee: float | None) -> None:
    for number, layer in enumerate(layers):
        pulses = np.sort(layer.pulses.ravel())
        values, first = np.unique(pulses, return_index=True)
        share = 100.0 * (1.0 - first / len(pulses))
        shown = values > 0
        colour = PALETTE[COLOURS[number % len(COLOURS)]]
        name = layer.name.replace("$", r"\$").lstrip("_") or "layer"
        ax.step(values[shown], share[shown], where="post", color=colour, label=f"layer {name}")
    if knee is not None:
        ax.axvline(knee, color=PALETTE["grey"], ls="--", lw=1.0, label="median knee")
    ax.set_xscale("log")
    ax.set_xlim(left=1.0)
    ax.set_yscale("log")
    ax.set_xlabel("RESET pulses")
    ax.set_ylabel("devices with at least as many (%)")
    ax.legend(loc="lower left")
