"""Two parameter files side by side, as one self-contained HTML page."""

from __future__ import annotations

from weakreset import plots
from weakreset.comparison import Comparison, Difference, Quantity
from weakreset.report.numbers import number
from weakreset.report.pictures import picture_of
from weakreset.report.tables import Cell, Table
from weakreset.version import __version__

__all__ = ["build_comparison", "comparison_rows"]

_COLUMNS = ("quantity", "A", "B", "B / A, or B - A", "adjusted p", "outcome")


def build_comparison(comparison: Comparison) -> str:
    """The page; write it with `weakreset.resources.write_atomically`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("weakreset.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    files = (comparison.a, comparison.b)
    laws = picture_of(plots.law_comparison(files), "Laws of A and B", "Densities; dots are medians.")
    simulated = [file.name for file in files if file.provenance.simulated]
    return environment.get_template("compare.html").render(
        title=f"{comparison.a.name} (A) and {comparison.b.name} (B)", version=__version__,
        simulated=f"Fitted to simulated traces: {', '.join(simulated)}." if simulated else "",
        sentence=comparison.sentence, notes=comparison.notes, pictures={"laws": laws},
        table=Table(_COLUMNS, tuple(tuple(map(Cell, row)) for row in comparison_rows(comparison))),
    )


def comparison_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row a quantity, in words and numbers; for the page and the terminal."""
    return [
        (
            f"{d.what} ({d.unit})", _quantity(d.a), _quantity(d.b), _change(d),
            "–" if d.adjusted_p_value is None else number(d.adjusted_p_value, 2), d.outcome,
        )
        for d in comparison.differences
    ]


def _quantity(quantity: Quantity) -> str:
    return number(quantity.value, 4) + _bracket(quantity.interval)


def _change(difference: Difference) -> str:
    return number(difference.change, 3) + _bracket(difference.interval)


def _bracket(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{number(interval[0], 3)}, {number(interval[1], 3)}]"
