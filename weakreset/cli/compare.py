"""`weakreset compare`: two parameter files side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weakreset.cli.common import console_for, print_json
from weakreset.resources import write_atomically

__all__ = ["compare_command"]


def compare_command(
    a: Annotated[str, typer.Argument(help="parameter file or preset")],
    b: Annotated[str, typer.Argument(help="parameter file or preset")],
    report: Annotated[Path | None, typer.Option("--report", "-o", help="HTML page")] = None,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Two technologies or lots side by side: laws, noise, tests of their differences."""
    from rich.markup import escape
    from rich.table import Table

    from weakreset.comparison import COLUMNS, compare_parameters
    from weakreset.parameter_file import load_parameters
    from weakreset.report import build_comparison

    console = console_for(json_)
    comparison = compare_parameters(load_parameters(a), load_parameters(b))
    title = f"A: {comparison.a.name}, B: {comparison.b.name} (95 % in brackets)"
    table = Table(title=escape(title), title_justify="left")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for row in comparison.table():
        table.add_row(*map(escape, row))
    console.print(table)
    for line in (*comparison.notes, comparison.sentence):
        console.print(line, markup=False)
    if report is not None:
        write_atomically(report, build_comparison(comparison))
        console.print(f"page: {report}", markup=False)
    if json_:
        print_json(comparison.to_dict() | ({} if report is None else {"report": str(report)}))
