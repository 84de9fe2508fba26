"""Laws of two or more technologies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from weakreset.display import printable
from weakreset.parameter_file import ParameterFile
from weakreset.parameter_file.people import FAMILY_WORDS
from weakreset.plots.d2d_laws import law_range
from weakreset.plots.panels import LEGEND_IN, density_axes, panel_grid
from weakreset.plots.style import FILE_LOOKS, PALETTE, side_by_side, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["law_comparison"]


@styled
def law_comparison(files: Sequence[ParameterFile], ax: Axes | None = None) -> Axes:
    """A panel a parameter with the density of each file's law, medians marked.

    Parameters
    ----------
    files : sequence of ParameterFile
        One to six.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    names = list(dict.fromkeys(name for file in files for name in file.parameters))
    frame, place, panels = panel_grid(len(names), ax, 2.4)
    for panel, name in zip(panels, names, strict=True):
        _panel(panel, name, files)
    if panels:
        columns = side_by_side(ax, LEGEND_IN, 3)
        place.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=columns)
    return frame


def _panel(ax: Axes, name: str, files: Sequence[ParameterFile]) -> None:
    present = [(file, look) for file, look in zip(files, FILE_LOOKS, strict=False) if name in file.parameters]
    laws = [file.parameters[name].law() for file, _ in present]
    low, high = law_range(laws, np.empty(0))
    x = np.linspace(low, high, 400)
    for (file, (colour, style)), law in zip(present, laws, strict=True):
        mark = " (simulated)" if file.provenance.simulated else ""
        label = printable(file.name).replace("$", r"\$").lstrip("_") + mark
        if law.family == "constant":
            ax.axvline(law.median(), color=PALETTE[colour], ls=style, label=label)
            continue
        density = np.exp(law.logpdf(x))
        ax.plot(x, density, color=PALETTE[colour], ls=style, label=label)
        ax.plot(law.median(), float(np.exp(law.logpdf(law.median()))), "o", ms=4, color=PALETTE[colour])
    families = list(dict.fromkeys(FAMILY_WORDS.get(law.family, law.family) for law in laws))
    density_axes(ax, name, present[0][0].parameters[name].unit, " / ".join(families))
