"""`weakreset inspect`: what a file is taken for, what is in it, what would be left out and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from weakreset.traces import ColumnRole, FileInspection

__all__ = ["inspect_command"]

_IN_DETAIL = 5
_RUNS_SHOWN = 24


def inspect_command(
    files: Annotated[list[str], typer.Argument(help="trace files, folders or patterns")],
    map_: Annotated[str, typer.Option("--map", help="role=column,... where the guess is wrong")] = "",
    format_: Annotated[str, typer.Option("--format", help="reader to use instead of the one recognised")] = "",
    read_voltage: Annotated[float | None, typer.Option(help="read voltage [V] where readings are currents")] = None,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Show format, columns, units, devices and pulses of trace files, and what would be excluded and why."""
    from weakreset.traces import inspect_traces

    found = inspect_traces(files, column_map=map_ or None, format=format_ or None, read_voltage_v=read_voltage)
    console = Console(stderr=json_, highlight=False, soft_wrap=True)
    if len(found) <= _IN_DETAIL:
        for inspection in found:
            if not inspection.problem:
                _show(console, inspection)
    else:
        console.print(_overview(found))
    problems = [inspection for inspection in found if inspection.problem]
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for inspection in problems:
        errors.print(f"weakreset: {inspection.problem}", style="red", markup=False)
    if json_:
        content = {"files": [inspection.to_dict() for inspection in found]}
        sys.stdout.write(json.dumps(content, indent=1, allow_nan=False) + "\n")
    if problems:
        raise typer.Exit(2)


def _show(console: Console, inspection: FileInspection) -> None:
    """One file in detail."""
    label = " [yellow](simulated)[/]" if inspection.simulated else ""
    console.print(f"[bold]{escape(inspection.path)}[/]{label}")
    console.print(f"  {inspection.format}: {inspection.why}; {inspection.layout}", markup=False)
    console.print(_column_table(inspection))
    console.print(f"  {_content(inspection)}", markup=False)
    if inspection.sparkline:
        console.print(f"  ln R of {inspection.typical_device}: {inspection.sparkline}", markup=False)
    for reason, count in inspection.excluded.items():
        console.print(f"  excluded, {count} x {reason}", markup=False, style="yellow")
    for example in inspection.examples:
        console.print(f"    {example}", markup=False)
    console.print(f"  to read it otherwise, change: {inspection.map_line}\n", markup=False)


def _content(inspection: FileInspection) -> str:
    """Devices, cycles, pulses, reads and range in one line."""
    names = ", ".join(inspection.devices[:4]) + (", ..." if inspection.n_devices > 4 else "")
    parts = [f"{inspection.n_devices} device{'' if inspection.n_devices == 1 else 's'} to use"]
    parts[0] += f" ({names})" if names else ""
    if inspection.n_cycles > 1:
        parts.append(f"{inspection.n_cycles} cycles")
    if inspection.pulse_range:
        parts.append(f"pulses {inspection.pulse_range[0]} to {inspection.pulse_range[1]}")
    parts.append(f"{inspection.n_reads} reads")
    if inspection.resistance_range_ohm:
        low, high = inspection.resistance_range_ohm
        parts.append(f"{low:.4g} to {high:.4g} ohm")
    return "; ".join(parts)


def _table(*names: str) -> Table:
    """Long cells are folded, never cut."""
    table = Table(box=None, padding=(0, 2))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _column_table(inspection: FileInspection) -> Table:
    table = _table("column", "name", "role", "unit", "sure", "why")
    runs = _alike(inspection.columns)
    for first, last in runs[:_RUNS_SHOWN]:
        index = f"{first.index}" if first is last else f"{first.index} to {last.index}"
        name = first.name or "(none)"
        name += "" if first is last else f" to {last.name or '(none)'}"
        unit = first.unit.symbol if first.unit else ""
        cells = (index, name, first.role, unit, f"{100 * first.confidence:.0f} %", first.reason)
        table.add_row(*(escape(cell) for cell in cells))
    if len(runs) > _RUNS_SHOWN:
        table.add_row("...", f"{inspection.n_columns} columns in all", "", "", "", "")
    return table


def _alike(columns: Sequence[ColumnRole]) -> list[tuple[ColumnRole, ColumnRole]]:
    """First and last of neighbouring columns that are taken for the same thing for the same reason."""
    grouped = groupby(columns, key=lambda column: (column.role, column.unit, column.confidence, column.reason))
    runs = [list(members) for _, members in grouped]
    return [(run[0], run[-1]) for run in runs]


def _overview(found: list[FileInspection]) -> Table:
    """Many files, a line each."""
    table = _table("file", "format", "devices", "reads", "pulses", "excluded", "ln R")
    for item in found:
        pulses = f"{item.pulse_range[0]}:{item.pulse_range[1]}" if item.pulse_range else ""
        excluded = ", ".join(f"{count} x {reason}" for reason, count in item.excluded.items())
        status = "cannot be read" if item.problem else excluded
        cells = (item.path, item.format, str(item.n_devices), str(item.n_reads), pulses, status, item.sparkline[::3])
        table.add_row(*(escape(cell) for cell in cells))
    return table
