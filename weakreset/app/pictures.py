"""Every picture that there can be, by name; the same on the screen, in the report and for a paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from weakreset.comparison import Comparison
    from weakreset.fitting import FitSet
    from weakreset.population import Population
    from weakreset.traces import TraceSet
    from weakreset.validation import Verdict

__all__ = ["Drawing", "drawings"]


@dataclass(frozen=True)
class Drawing:
    """A figure function with its data; `draw(None)` makes a figure of its own size."""

    alt: str
    caption: str
    draw: Callable[[Axes | None], Axes]
    wide: bool = False
    """Whether it has more panels than one column of a paper has room for."""


def drawings(
    traces: TraceSet | None, fits: FitSet | None, population: Population | None, verdict: Verdict | None,
    comparison: Comparison | None, twin: TraceSet | None,
) -> dict[str, Drawing]:
    """Those that what is there allows."""
    from weakreset import plots

    made: dict[str, Drawing] = {}
    if fits is not None:
        made["all_traces"] = Drawing(
            "All traces", "Every device, with the median and the band of 90 % of the devices.",
            lambda ax: plots.all_traces(fits.traces, ax),
        )
        made["lot_curves"] = Drawing(
            "The lot in ohms", "Median, 50 and 90 % of the devices; a median a lot, wafer, file or die.",
            lambda ax: plots.lot_curves(fits.traces, ax),
        )
        made |= _of_places(fits)
        made["fits"] = Drawing(
            "Traces with fits", "Devices of every status, from small to large change.",
            lambda ax: plots.traces_with_fits(fits, ax=ax), True,
        )
        made["spectrum"] = Drawing(
            "Spectrum of the residuals", "What drift and telegraph steps leave, beside the fitted 1/f law.",
            lambda ax: plots.residual_spectrum(fits, ax),
        )
    if population is not None:
        made["laws"] = Drawing(
            "Device-to-device laws", "Bars: device estimates, with their own errors. Line: law of the true values.",
            lambda ax: plots.d2d_laws(population, ax), True,
        )
    if verdict is not None:
        made |= _of_verdict(verdict)
    if comparison is not None:
        pair = (comparison.a, comparison.b)
        made["comparison"] = Drawing(
            "Laws of A and B", "Densities; dots are medians.", lambda ax: plots.law_comparison(pair, ax), True
        )
    if twin is not None:
        made["twin"] = _of_twin(traces, twin)
    return made


def _of_places(fits: FitSet) -> dict[str, Drawing]:
    from weakreset import plots
    from weakreset.plots.excluded_traces import EXCLUDED_SHOWN, with_excluded_traces
    from weakreset.plots.wafer_map import has_die_map, has_wafer_map

    made = {}
    if names := list(with_excluded_traces(fits))[:EXCLUDED_SHOWN]:
        made["excluded"] = Drawing(
            "Excluded devices", "As they were read, and why. Orange: reads that are not used.",
            lambda ax: plots.excluded_traces(fits, names, ax), True,
        )
    if has_wafer_map(fits):
        made["wafer_map"] = Drawing(
            "Wafer maps", "Medians of each die, and its yield.", lambda ax: plots.wafer_map(fits, ax), True
        )
    if has_die_map(fits):
        made["die_map"] = Drawing(
            "Map of the die", "By row and column, over all dies.", lambda ax: plots.die_map(fits, ax), True
        )
    return made


def _of_verdict(verdict: Verdict) -> dict[str, Drawing]:
    from weakreset import plots

    simulated, spectrum = verdict.simulated, verdict.spectrum
    made = {
        "checks": Drawing(
            "Checks", "Where each check finds the traces among the replicas; the corrected p decides.",
            lambda ax: plots.check_overview(verdict, ax),
        ),
        "envelopes": Drawing(
            "Quantiles against pulses", "Circles: traces. Lines and bands: median and 95 % of the replicas.",
            lambda ax: plots.envelopes(verdict.envelope, ax, simulated=simulated),
        ),
    }
    if verdict.distributions:
        made["distributions"] = Drawing(
            "Distributions of ln R", "Share of devices below a value. Band: 95 % of the replicas.",
            lambda ax: plots.distributions(verdict.distributions, ax, simulated=simulated), True,
        )
    if spectrum is not None:
        made["spectrum_bands"] = Drawing(
            "Spectrum of ln R", "Power of the median device by octaves. Band: 95 % of the replicas.",
            lambda ax: plots.spectrum_bands(spectrum, ax, simulated=simulated),
        )
    return made


def _of_twin(traces: TraceSet | None, twin: TraceSet) -> Drawing:
    from weakreset import plots

    if traces is None:
        return Drawing("Simulated traces", "Of the model alone.", lambda ax: plots.all_traces(twin, ax))
    return Drawing(
        "Given beside simulated", "Left: the traces that were given. Right: drawn from the parameter file.",
        lambda ax: plots.measured_and_simulated(traces, twin, ax), True,
    )
