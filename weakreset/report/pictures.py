"""Figures of the report, as images inside the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from weakreset import plots
from weakreset.fitting import FitStatus
from weakreset.model import SHAPES
from weakreset.report.content import ReportInput
from weakreset.validation import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Picture", "picture_of", "pictures"]

_MOST_POINTS = 12_000  # each takes about 20 signs of an SVG; counted, for drawing twice would cost as much again
_EXCLUDED_SHOWN = 9
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


def pictures(content: ReportInput) -> dict[str, Picture]:
    """Every picture the parts allow, by section."""
    made: dict[str, Picture] = {}
    fits = content.fit_set
    if content.trace_set is not None and len(content.trace_set):
        ax = plots.all_traces(content.trace_set)
        made["all_traces"] = picture_of(ax, "All traces: ln(R/R0) against RESET pulses", _ALL_TRACES)
    if fits is not None and any(len(fit.pulses) for fit in fits):
        made["fits"] = picture_of(plots.traces_with_fits(fits), "Example devices with their fits", _FITS)
        excluded = [fit.device for fit in fits if fit.status is FitStatus.EXCLUDED and len(fit.pulses)]
        if excluded:
            ax = plots.traces_with_fits(fits, excluded[:_EXCLUDED_SHOWN])
            made["excluded"] = picture_of(ax, "Traces of excluded devices", _EXCLUDED)
        ax = plots.residual_spectrum(fits)
        made["spectrum"] = picture_of(ax, "Spectrum of the residuals with the fitted 1/f law", _SPECTRUM)
    if content.population is not None:
        made["laws"] = picture_of(plots.d2d_laws(content.population), "Device-to-device laws", _LAWS)
    elif content.params is not None:
        ax = plots.law_comparison([content.params])
        made["laws"] = picture_of(ax, "Device-to-device laws", "Densities; dots are medians.")
    if content.verdict is not None:
        made |= _validation(content.verdict)
    if content.runs:
        simulated = content.params is not None and content.params.provenance.simulated
        ax = plots.training_curves(content.runs, simulated=simulated)
        made["training"] = picture_of(ax, "Test accuracy against epoch", _TRAINING)
    if content.wear:
        ax = plots.endurance(content.wear, knee=_median_knee(content))
        made["endurance"] = picture_of(ax, "Pulses by device, and by input of the first layer", _ENDURANCE)
    return made


def _median_knee(content: ReportInput) -> float | None:
    params = content.params
    knee = "" if params is None else SHAPES[params.model].knee
    entry = None if params is None else params.parameters.get(knee)
    return None if entry is None else entry.law().median()


def _validation(verdict: Verdict) -> dict[str, Picture]:
    simulated = verdict.simulated
    ax = plots.envelopes(verdict.envelope, simulated=simulated)
    made = {
        "checks": picture_of(plots.check_overview(verdict), "Every check, traces among the replicas", _CHECKS),
        "envelopes": picture_of(ax, "Quantiles of ln(R/R0), traces against model", _ENVELOPES),
    }
    if verdict.distributions:
        ax = plots.distributions(verdict.distributions, simulated=simulated)
        made["distributions"] = picture_of(ax, "Distributions of ln R, traces against model", _DISTRIBUTIONS)
    if verdict.spectrum is not None:
        ax = plots.spectrum_bands(verdict.spectrum, simulated=simulated)
        made["spectrum_bands"] = picture_of(ax, "Spectrum of ln R, traces against model", _SPECTRUM_BANDS)
    return made


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
    "steps. Dashed with band: knee and its 95 % interval; no line where the knee is not identifiable."
)
_EXCLUDED = (
    "Devices that were excluded, and why; the first nine. Any of them can be opened in the table of devices."
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
