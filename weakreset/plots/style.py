"""One look for all figures, applied inside each function and never globally."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from weakreset.model import SHAPES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase, SubFigure

__all__ = [
    "BODY_POINTS",
    "COLOURS",
    "FILE_LOOKS",
    "PALETTE",
    "TICK_POINTS",
    "axis_label",
    "figure_bytes",
    "grid_shape",
    "new_axes",
    "new_figure",
    "panel_place",
    "resistance_over_pulses",
    "side_by_side",
    "styled",
    "tag_simulated",
    "tag_simulated_figure",
]

# Okabe and Ito, Color Universal Design (2008): told apart with every common colour vision deficiency
PALETTE = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#8C8C8C",
}
COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky", "black")
"""Of series side by side, in this order."""

FILE_LOOKS = (("blue", "-"), ("vermillion", "--"), ("green", "-."), ("purple", ":"), ("orange", "-"), ("black", "--"))
"""Of parameter files side by side: a file looks alike in every picture of a comparison, also without colours."""

BODY_POINTS, TICK_POINTS = 9.0, 8.0
"""Sizes of the letters of a figure that is shown on a screen or a page of its own."""

_DEVICE = {"r0_ohm": ("$R_0$", "Ω"), "rtn_amplitude": ("RTN amplitude $A$", "ln R")}

# Any: newer matplotlib types the keys as literals, older does not
_SETTINGS: Any = {
    "font.size": BODY_POINTS,
    "axes.titlesize": BODY_POINTS,
    "axes.labelsize": BODY_POINTS,
    "xtick.labelsize": TICK_POINTS,
    "ytick.labelsize": TICK_POINTS,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "text.usetex": False,
}

_SUPERSCRIPT = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_P = ParamSpec("_P")
_R = TypeVar("_R")


def styled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run a figure function under our settings and put the caller's back afterwards."""

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        import matplotlib

        with matplotlib.rc_context(_SETTINGS):
            return function(*args, **kwargs)

    return wrapper


def new_figure(width: float, height: float) -> Figure:
    """A figure that pyplot does not know of, so it is freed with its last reference; size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def new_axes(ax: Axes | None, width: float = 5.2, height: float = 3.6) -> Axes:
    """`ax`, or the only axes of a new figure."""
    return new_figure(width, height).add_subplot() if ax is None else ax


def resistance_over_pulses(ax: Axes, last: int, lowest_ohm: float, highest_ohm: float) -> Axes:
    """Words, limits and legend of axes with simulated resistances in kilohm; logarithmic where they spread far."""
    ax.set(xlabel="pulses since SET", ylabel="resistance (kΩ)", xlim=(0, last))
    if highest_ohm > 30.0 * lowest_ohm:
        ax.set_yscale("log")
    ax.legend(loc="upper left")
    tag_simulated(ax)
    return ax


def panel_place(ax: Axes | None, width: float, height: float) -> tuple[Axes, SubFigure]:
    """`ax`, or the only axes of a new figure, left without a frame; and its place, to be divided into panels."""
    frame = new_axes(ax, width, height)
    frame.set_axis_off()
    place = frame.get_subplotspec()
    if place is None:
        box = frame.get_position()
        columns, rows = (box.x0, box.width, 1.0 - box.x1), (1.0 - box.y1, box.height, box.y0)
        place = frame.figure.add_gridspec(3, 3, width_ratios=columns, height_ratios=rows)[1, 1]
    return frame, frame.figure.add_subfigure(place)


def side_by_side(ax: Axes | None, each_in: float, most: int) -> int:
    """How many panels, or entries of a legend, of a width in inches have room in the place of `ax`; one at least."""
    if ax is None:  # a figure made to measure
        return most
    return max(1, min(most, int(ax.bbox.width / ax.figure.dpi / each_in)))


def grid_shape(n: int, most_columns: int = 3) -> tuple[int, int]:
    """Rows and columns for `n` panels."""
    columns = min(n, most_columns)
    return -(-n // columns), columns


def tag_simulated(ax: Axes) -> None:
    """Say on the axes that nothing of this was measured."""
    ax.text(
        1.0, 1.01, "SIMULATED DATA", transform=ax.transAxes, ha="right", va="bottom",
        fontsize=7.5, fontweight="bold", color=PALETTE["vermillion"],
    )


def tag_simulated_figure(figure: FigureBase) -> None:
    """The same for a figure of several panels, on a line of its own at the top right."""
    figure.suptitle(
        "SIMULATED DATA", x=0.995, ha="right", fontsize=7.5, fontweight="bold", color=PALETTE["vermillion"]
    )


def figure_bytes(drawing: Axes | Figure, kind: str = "svg", dpi: int = 150) -> bytes:
    """The figure (or that of the axes) as svg, png or pdf; the same figure gives the same bytes."""
    import matplotlib

    figure = cast("Figure", getattr(drawing, "figure", drawing))
    _plain_ticks(figure)
    stream = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with matplotlib.rc_context({"svg.hashsalt": "weakreset"}):
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def _plain_ticks(figure: Figure) -> None:
    """Numbers on the axes as plain text: matplotlib would parse each as a formula, a third of the time of a page."""
    from matplotlib.ticker import LogFormatterMathtext, ScalarFormatter

    class Plain(ScalarFormatter):
        def get_offset(self) -> str:
            return _without_formula(super().get_offset())

    class PlainLog(LogFormatterMathtext):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return _without_formula(super().__call__(x, pos))

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if type(formatter) is ScalarFormatter:
                plain = Plain(useMathText=False)
                plain.set_powerlimits(_SETTINGS["axes.formatter.limits"])
                axis.set_major_formatter(plain)
            elif isinstance(formatter, LogFormatterMathtext) and not isinstance(formatter, PlainLog):
                axis.set_major_formatter(PlainLog())


def _without_formula(text: str) -> str:
    """`1e−3` and `$\\mathdefault{10^{-3}}$` as ×10⁻³ and 10⁻³."""
    if found := re.fullmatch(r"1e([-−]?\d+)", text):
        return f"×10{found[1].translate(_SUPERSCRIPT)}"
    if found := re.search(r"10\^\{([-−]?\d+)\}", text):
        return f"10{found[1].translate(_SUPERSCRIPT)}"
    return "" if "{" in text else text


def axis_label(name: str, unit: str) -> str:
    """`$m_1$ (1/pulse)`: a number of the device or of a drift shape as axes have it."""
    if name in _DEVICE:
        symbol, shown = _DEVICE[name]
    else:
        shape = next((shape for shape in SHAPES.values() if name in shape.parameters), None)
        symbol = name if shape is None else shape[name].symbol or name
        shown = "ln R" if shape is not None and name == shape.offset else "pulses" if unit == "pulse" else unit
    return f"{symbol} ({shown})"
