"""Two parameter files side by side, as one self-contained HTML page."""

from __future__ import annotations

import contextlib

from weakreset import plots
from weakreset.comparison import COLUMNS, Comparison
from weakreset.errors import ParameterFileError
from weakreset.report.pictures import picture_of
from weakreset.report.rendering import render
from weakreset.report.tables import Cell, Table

__all__ = ["build_comparison", "comparison_rows"]


def build_comparison(comparison: Comparison) -> str:
    """The page; write it with `weakreset.resources.write_atomically`."""
    files = (comparison.a, comparison.b)
    made = {"laws": picture_of(plots.law_comparison(files), "Laws of A and B", "Densities; dots are medians.")}
    with contextlib.suppress(ParameterFileError):  # not identifiable in one of them, which the notes say
        made["curves"] = picture_of(plots.drift_comparison(files), "Devices of A and B over pulses", _CURVES)
    simulated = [file.name for file in files if file.provenance.simulated]
    return render(
        "compare.html", title=f"{comparison.a.name} (A) and {comparison.b.name} (B)",
        simulated=f"Fitted to simulated traces: {', '.join(simulated)}." if simulated else "",
        sentence=comparison.sentence, notes=comparison.notes, pictures=made,
        table=Table(COLUMNS, tuple(tuple(map(Cell, row)) for row in comparison.table())),
    )


_CURVES = "Resistance by drift alone: lines are median devices, bands hold 90 % of the devices drawn from each file."


def comparison_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """`Comparison.table`: a row a quantity, in words and numbers."""
    return comparison.table()
