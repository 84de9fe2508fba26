"""What a report is made of."""

from __future__ import annotations

from dataclasses import dataclass

from weakreset.fitting import FitSet
from weakreset.parameter_file import ParameterFile
from weakreset.plots import LayerWear, TrainingRun
from weakreset.population import Population
from weakreset.traces import TraceSet
from weakreset.validation import Verdict

__all__ = ["ReportInput"]


@dataclass(frozen=True, eq=False)
class ReportInput:
    """Parts of a report; each section appears where its part is given.

    Attributes
    ----------
    title : str
    fits : FitSet, optional
    population : Population, optional
        Its fits are used where `fits` is not given.
    params : ParameterFile, optional
    verdict : Verdict, optional
    runs : tuple of TrainingRun
    wear : tuple of LayerWear
        Pulses of the devices of a trained network, layer by layer.
    summary : tuple of str
        Further lines for the summary, one finding a line.
    commands : tuple of str
        Commands that made this, for the provenance.
    traces : TraceSet, optional
        Where nothing was fitted; otherwise those of the fits.
    """

    title: str
    fits: FitSet | None = None
    population: Population | None = None
    params: ParameterFile | None = None
    verdict: Verdict | None = None
    runs: tuple[TrainingRun, ...] = ()
    wear: tuple[LayerWear, ...] = ()
    summary: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    traces: TraceSet | None = None

    @property
    def fit_set(self) -> FitSet | None:
        """The fits, given or behind the population."""
        if self.fits is not None:
            return self.fits
        return self.population.fits if self.population is not None else None

    @property
    def trace_set(self) -> TraceSet | None:
        """The traces, given or behind the fits."""
        if self.traces is not None:
            return self.traces
        return self.fit_set.traces if self.fit_set is not None else None

    @property
    def simulated(self) -> bool:
        """Whether the data behind any part was simulated."""
        traces = self.trace_set
        return (
            (traces is not None and traces.simulated)
            or (self.params is not None and self.params.provenance.simulated)
            or (self.verdict is not None and self.verdict.simulated)
        )
