"""Figures of the report, as images inside the page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from weakreset import plots
from weakreset.fitting import FitSet
from weakreset.model import SHAPES
from weakreset.plots.excluded_traces import EXCLUDED_SHOWN, with_excluded_traces
from weakreset.plots.wafer_map import has_die_map, has_wafer_map
from weakreset.progress import Progress, to_no_one
from weakreset.report.content import ReportInput
from weakreset.validation import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Picture", "picture_of", "pictures"]

Wanted = tuple[Callable[[], "Axes"], str, str]
"""What draws a picture, its words for those who do not see it, its caption."""

_MOST_POINTS = 12_000  # each takes about 20 signs of an SVG; counted, for drawing twice would cost as much again
_WIDE_INCHES = 6.5  # wider pictures take the whole column
_PIXELS_AN_INCH = 96  # of CSS, on every screen


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, `width` pixels wide; `alt` for those who do not see it; `wide` ones scroll on a phone."""

    uri: str
    alt: str
    caption: str
    width: int
    wide: bool = False


def pictures(content: ReportInput, progress: Progress | None = None) -> dict[str, Picture]:
    """Every picture the parts allow, by section; `progress` is told after each."""
    wanted = _wanted(content)
    say = to_no_one if progress is None else progress
    made: dict[str, Picture] = {}
    for done, (name, (draw, alt, caption)) in enumerate(wanted.items()):
        say(done, len(wanted), "pictures of the report")
        made[name] = picture_of(draw(), alt, caption)
    say(len(wanted), len(wanted), "pictures of the report")
    return made


def _wanted(content: ReportInput) -> dict[str, Wanted]:
    wanted: dict[str, Wanted] = {}
    traces, population, params = content.trace_set, content.population, content.params
    if traces is not None and len(traces):
        alt = "All traces: ln(R/R0) against RESET pulses"
        wanted["all_traces"] = (lambda: plots.all_traces(traces), alt, _ALL_TRACES)
        wanted["lot_curves"] = (
            lambda: plots.lot_curves(traces), "Resistance of the lot against pulses", _LOT_CURVES
        )
    if content.fit_set is not None and any(len(fit.pulses) for fit in content.fit_set):
        wanted |= _of_fits(content.fit_set)
    if population is not None:
        wanted["laws"] = (lambda: plots.d2d_laws(population), "Device-to-device laws", _LAWS)
    elif params is not None:
        densities = "Densities; dots are medians."
        wanted["laws"] = (lambda: plots.law_comparison([params]), "Device-to-device laws", densities)
    if content.verdict is not None:
        wanted |= _validation(content.verdict)
    if content.runs:
        simulated = params is not None and params.provenance.simulated
        wanted["training"] = (
            lambda: plots.training_curves(content.runs, simulated=simulated), "Test accuracy against epoch", _TRAINING
        )
    if content.wear:
        wanted["endurance"] = (
            lambda: plots.endurance(content.wear, knee=_median_knee(content)),
            "Pulses by device, and by input of the first layer", _ENDURANCE,
        )
    return wanted


def _of_fits(fits: FitSet) -> dict[str, Wanted]:
    wanted: dict[str, Wanted] = {
        "fits": (lambda: plots.traces_with_fits(fits), "Example devices with their fits", _FITS)
    }
    excluded = list(with_excluded_traces(fits))
    if excluded:
        more = f" The first {EXCLUDED_SHOWN} of {len(excluded)}." if len(excluded) > EXCLUDED_SHOWN else ""
        shown = excluded[:EXCLUDED_SHOWN]
        wanted["excluded"] = (
            lambda: plots.excluded_traces(fits, shown), "Traces of excluded devices", _EXCLUDED + more
        )
    if has_wafer_map(fits):
        wanted["wafer_map"] = (lambda: plots.wafer_map(fits), "Wafer maps", _WAFER_MAP)
    if has_die_map(fits):
        wanted["die_map"] = (lambda: plots.die_map(fits), "Map of the die", _DIE_MAP)
    spectrum = "Spectrum of the residuals with the fitted 1/f law"
    return wanted | {"spectrum": (lambda: plots.residual_spectrum(fits), spectrum, _SPECTRUM)}


def _median_knee(content: ReportInput) -> float | None:
    params = content.params
    knee = "" if params is None else SHAPES[params.model].knee
    entry = None if params is None else params.parameters.get(knee)
    return None if entry is None else entry.law().median()


def _validation(verdict: Verdict) -> dict[str, Wanted]:
    simulated, spectrum = verdict.simulated, verdict.spectrum
    wanted: dict[str, Wanted] = {
        "checks": (lambda: plots.check_overview(verdict), "Every check, traces among the replicas", _CHECKS),
        "envelopes": (
            lambda: plots.envelopes(verdict.envelope, simulated=simulated),
            "Quantiles of ln(R/R0), traces against model", _ENVELOPES,
        ),
    }
    if verdict.distributions:
        wanted["distributions"] = (
            lambda: plots.distributions(verdict.distributions, simulated=simulated),
            "Distributions of ln R, traces against model", _DISTRIBUTIONS,
        )
    if spectrum is not None:
        wanted["spectrum_bands"] = (
            lambda: plots.spectrum_bands(spectrum, simulated=simulated),
            "Spectrum of ln R, traces against model", _SPECTRUM_BANDS,
        )
    return wanted


def _points(figure: Figure) -> int:
    """Points of lines and areas that an SVG would hold one by one."""
    lines = [line for axes in figure.axes for line in axes.lines if not line.get_rasterized()]
    areas = [area for axes in figure.axes for area in axes.collections if not area.get_rasterized()]
    vertices = [np.shape(path.vertices)[0] for area in areas for path in area.get_paths()]
    return sum([*vertices, *(np.size(line.get_xdata()) for line in lines)])


def picture_of(ax: Axes, alt: str, caption: str) -> Picture:
    """The drawing as it goes into the page: SVG, or PNG where that would be too large."""
    figure = cast("Figure", ax.figure)
    if _points(figure) > _MOST_POINTS:
        data, kind = plots.figure_bytes(ax, "png", dpi=160), "png"
    else:
        data, kind = plots.figure_bytes(ax, "svg"), "svg+xml"
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    inches = float(figure.get_figwidth())
    return Picture(uri, alt, caption, round(_PIXELS_AN_INCH * inches), wide=inches > _WIDE_INCHES)


_ALL_TRACES = "Every device, with the median and the band that holds 90 % of the devices."
_FITS = (
    "Example devices, chosen across statuses and sizes of change. Blue: fitted drift. Orange: drift and telegraph "
    "steps. Dashed with band: knee and its 95 % interval; no line where the knee is not identifiable: the curve there "
    "is the best of many that fit about as well, and the table averages over them."
)
_LOT_CURVES = "The same in ohms: the whole lot in grey, medians of its parts in colour, with how many devices."
_WAFER_MAP = "By die: medians of the devices' own estimates, and the share of devices that are no defects."
_DIE_MAP = "The same by row and column on the die, over all dies."
_EXCLUDED = (
    "Devices that were excluded, as they were read, and why. Blue: reads that are used; orange: those that are not. "
    "Any device can be opened in the table of devices too."
)
_SPECTRUM = (
    "What drift and telegraph steps leave, averaged over devices, against the fitted 1/f law. An excess at low "
    "frequency can be telegraph noise too small to be found step by step."
)
_LAWS = (
    "Bars and ticks: device estimates, which scatter by their own errors too. Line: fitted law of the true values. "
    "Grey: beyond what the traces show."
)
_CHECKS = (
    "Where each check finds the traces among the replicas; where a check has several figures, the furthest off. The "
    "shaded interval holds 95 % of the replicas, so one in twenty may stand outside; what fails is decided by the "
    "corrected p."
)
_DISTRIBUTIONS = "Share of devices below a value of ln R, after as many pulses. Band: 95 % of the replicas."
_SPECTRUM_BANDS = "Power of the fluctuations of the median device, octave by octave. Band: 95 % of the replicas."
_ENVELOPES = (
    "Circles: quantiles of the traces. Lines and bands: median and 95 % of the replicas simulated from the model."
)
_ENDURANCE = (
    "How many devices received at least so many RESET pulses in the run, and where in the image the weights of the "
    "first layer were rewritten most. Past its knee a device hardly moves any more."
)
_TRAINING = "Test accuracy after each epoch, and what it cost in pulses."
