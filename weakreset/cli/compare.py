"""`weakreset compare`: two parameter files side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.resources import write_atomically

__all__ = ["compare_command"]


def compare_command(
    a: Annotated[str, typer.Argument(help="parameter file or preset")],
    b: Annotated[str, typer.Argument(help="parameter file or preset")],
    report: Annotated[Path | None, typer.Option("--report", "-o", help="HTML page")] = None,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Two technologies or lots side by side: laws, noise, tests of their differences."""
    from weakreset.comparison import compare_parameters
    from weakreset.parameter_file import load_parameters
    from weakreset.report import build_comparison

    claim_outputs(report, read=[a, b])
    console = console_for(json_)
    comparison = compare_parameters(load_parameters(a), load_parameters(b))
    console.print(_table(comparison))
    for line in (*comparison.notes, comparison.sentence):
        console.print(line, markup=False)
    if report is not None:
        write_atomically(report, build_comparison(comparison))
        console.print(f"page: {report}", markup=False)
    if json_:
        print_json(comparison.to_dict() | ({} if report is None else {"report": str(report)}))


def _table(comparison: Any) -> Any:
    """A row a quantity in 80 signs; the page and --json have the intervals of A and B too."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from weakreset.comparison import SHORT_COLUMNS

    title = escape(f"A: {comparison.a.name}, B: {comparison.b.name} (95 % in brackets; p corrected for all tests)")
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False,
    )
    for column in SHORT_COLUMNS:
        words = column in ("quantity", "differ")
        table.add_column(column, overflow="fold", justify="left" if words else "right", no_wrap=column != "quantity")
    for row in comparison.short_table():
        table.add_row(*map(escape, row))
    return table
