"""`weakreset show`: a parameter file as a page for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.cli.parameters import AssumeOption, parameters_of

if TYPE_CHECKING:
    from weakreset.display import Summary

__all__ = ["show_command"]

_WIDTH = 100


def show_command(
    params: Annotated[str, typer.Argument(metavar="PARAMS", help="parameter file or preset")],
    report: Annotated[Path | None, typer.Option(help="HTML page with pictures")] = None,
    assume: AssumeOption = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Show what is in a parameter file: laws and noise in words, what devices do, what stands behind it."""
    from weakreset.parameter_file import describe, picture_in_text

    claim_outputs(report, read=[params])
    console = console_for(json_)
    file = parameters_of(params, assume)
    sections = describe(file)
    for section in sections:
        _print(console, section)
        if section.title.startswith("What a device does"):
            for line in picture_in_text(file):
                console.print(line, markup=False)
    if report is not None:
        from weakreset.report import build_file_page
        from weakreset.resources import write_atomically

        write_atomically(report, build_file_page(file))
        console.print(f"\npage: {report}", markup=False)
    if json_:
        said = {"name": file.name, "sections": [_plain(section) for section in sections]}
        print_json(said | ({} if report is None else {"report": str(report)}))


def _print(console: Any, section: Summary) -> None:
    """A title, sentences that are wrapped, a table."""
    from rich.padding import Padding
    from rich.text import Text

    from weakreset.display import printable, text_table

    width = min(_WIDTH, console.width)
    console.print(Text(f"\n{printable(section.title)}", style="bold"))
    for line in section.lines:
        console.print(Padding(Text(printable(line)), (0, 0, 0, 2)), width=width, soft_wrap=False)
    if section.rows:
        table = text_table(section.columns, section.rows, len(section.rows))
        console.print(Text("\n".join(f"  {line}" for line in table.splitlines())))
    for line in section.notes:
        console.print(Padding(Text(printable(line), style="dim"), (0, 0, 0, 2)), width=width, soft_wrap=False)


def _plain(section: Summary) -> dict[str, Any]:
    return {
        "title": section.title, "lines": list(section.lines), "columns": list(section.columns),
        "rows": [list(row) for row in section.rows], "notes": list(section.notes),
    }
