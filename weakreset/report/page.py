"""A report as a notebook shows it."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from weakreset.fitting import FitSet
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile
from weakreset.plots import LayerWear, TrainingRun
from weakreset.population import Population
from weakreset.report.build import build_report
from weakreset.report.content import ReportInput
from weakreset.resources import write_atomically
from weakreset.traces import TraceSet
from weakreset.validation import Verdict

__all__ = ["ReportPage", "make_report"]


@dataclass(frozen=True)
class ReportPage:
    """A finished page: shown where it is the last line of a notebook cell, written by `save`."""

    html: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page into a file, which needs nothing else."""
        return write_atomically(path, self.html)

    def __repr__(self) -> str:
        return f"ReportPage of {len(self.html.encode()) / 1e6:.1f} MB; .save(path) writes it"

    def _repr_html_(self) -> str:
        """In a frame of its own: its scripts run, and can reach nothing outside it."""
        page = html.escape(self.html, quote=True)
        return (
            # no allow-same-origin: scripts of the page cannot reach the notebook
            f'<iframe sandbox="allow-scripts" title="weakreset report" srcdoc="{page}" '
            'style="width:100%;height:44rem;border:1px solid #8c8c8c"></iframe>'
        )


@named_options
def make_report(
    title: str, *, fits: FitSet | None = None, population: Population | None = None,
    params: ParameterFile | None = None, verdict: Verdict | None = None, runs: Sequence[TrainingRun] = (),
    wear: Sequence[LayerWear] = (), summary: Sequence[str] = (), commands: Sequence[str] = (),
    traces: TraceSet | None = None,
) -> ReportPage:
    """The report of `weakreset fit --report`, from Python.

    Parameters
    ----------
    title : str
    fits, population, params, verdict, runs, wear, summary, commands, traces
        See `weakreset.report.ReportInput`. Each part brings its section.

    Returns
    -------
    ReportPage

    Examples
    --------
    >>> wr.make_report("Lot 7", population=population, params=params, verdict=verdict)  # doctest: +SKIP
    """
    content = ReportInput(
        title, fits, population, params, verdict, tuple(runs), tuple(wear), tuple(summary), tuple(commands), traces
    )
    return ReportPage(build_report(content))
