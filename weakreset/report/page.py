"""A report as a notebook shows it."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weakreset.report.build import build_report
from weakreset.report.content import ReportInput
from weakreset.resources import write_atomically

__all__ = ["ReportPage", "make_report"]


@dataclass(frozen=True)
class ReportPage:
    """A finished page: shown where it is the last line of a notebook cell, written by `save`."""

    html: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page into a file, which needs nothing else."""
        write_atomically(Path(path), self.html)
        return Path(path)

    def __repr__(self) -> str:
        return f"ReportPage of {len(self.html.encode()) / 1e6:.1f} MB; .save(path) writes it"

    def _repr_html_(self) -> str:
        """In a frame of its own: its scripts run, and can reach nothing outside it."""
        page = html.escape(self.html, quote=True)
        return (
            f'<iframe sandbox="allow-scripts" title="weakreset report" srcdoc="{page}" '
            'style="width:100%;height:44rem;border:1px solid #8c8c8c"></iframe>'
        )


def make_report(title: str, **parts: Any) -> ReportPage:
    """The report of `weakreset fit --report`, from Python.

    Parameters
    ----------
    title : str
    **parts
        Any of `fits`, `population`, `params`, `verdict`, `runs`, `summary`, `commands`, `traces`; see
        `weakreset.report.ReportInput`. Each part brings its section.

    Returns
    -------
    ReportPage

    Examples
    --------
    >>> wr.make_report("Lot 7", population=population, params=params, verdict=verdict)  # doctest: +SKIP
    """
    return ReportPage(build_report(ReportInput(title, **parts)))
