"""Laws of two or more technologies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from weakreset.parameter_file import ParameterFile
from weakreset.plots.d2d_laws import FAMILY_WORDS, law_range
from weakreset.plots.style import PALETTE, SYMBOLS, UNITS, grid_shape, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["law_comparison"]

_LOOKS = (("blue", "-"), ("vermillion", "--"), ("green", "-."), ("purple", ":"), ("orange", "-"), ("black", "--"))


@styled
def law_comparison(files: Sequence[ParameterFile], figure: Figure | None = None) -> Figure:
    """A panel a parameter with the density of each file's law, medians marked.

    Parameters
    ----------
    files : sequence of ParameterFile
        One to six.
    figure : matplotlib.figure.Figure, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(name for file in files for name in file.parameters))
    rows, columns = grid_shape(max(1, len(names)))
    figure = figure or new_figure(3.2 * columns, 2.4 * rows + 0.3)
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel in panels.flat[len(names) :]:
        panel.set_axis_off()
    for panel, name in zip(panels.flat, names, strict=False):
        _panel(panel, name, files)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def _panel(ax: Axes, name: str, files: Sequence[ParameterFile]) -> None:
    present = [(file, look) for file, look in zip(files, _LOOKS, strict=False) if name in file.parameters]
    laws = [file.parameters[name].law() for file, _ in present]
    low, high = law_range(laws, np.empty(0))
    x = np.linspace(low, high, 400)
    for (file, (colour, style)), law in zip(present, laws, strict=True):
        mark = " (simulated)" if file.provenance.simulated else ""
        label = file.name.replace("$", r"\$").lstrip("_") + mark
        if law.family == "constant":
            ax.axvline(law.median(), color=PALETTE[colour], ls=style, label=label)
            continue
        density = np.exp(law.logpdf(x))
        ax.plot(x, density, color=PALETTE[colour], ls=style, label=label)
        ax.plot(law.median(), float(np.exp(law.logpdf(law.median()))), "o", ms=4, color=PALETTE[colour])
    families = list(dict.fromkeys(FAMILY_WORDS.get(law.family, law.family) for law in laws))
    ax.set_title(" / ".join(families), loc="left", fontsize=8)
    ax.set(xlabel=f"{SYMBOLS.get(name, name)} ({UNITS.get(name, '')})", ylabel="density", yticks=[])
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", nbins=5)
