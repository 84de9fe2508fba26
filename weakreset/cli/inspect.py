"""`weakreset inspect`: what a file is taken for, what is in it, what would be excluded and why."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from weakreset.cli.common import console_for, progress_bar
from weakreset.cli.trace_options import (
    ASSUMED,
    FormatOption,
    KeepGoingOption,
    LimitsOption,
    MapOption,
    SkipOption,
    TraceOptions,
    VoltageOption,
    WhereOption,
)

if TYPE_CHECKING:
    from weakreset.traces import ColumnRole, FileInspection

__all__ = ["inspect_command"]

_IN_DETAIL = 5  # files shown one by one; more would not be read
_RUNS_SHOWN = 24  # a screen
_LINE_EACH = 40  # files with a line of their own, a screen; more are grouped by what they are alike in
_PROBLEMS_SHOWN = 20  # a screen; the rest are counted
_SETTINGS_SHOWN = 6


def inspect_command(
    files: Annotated[list[str], typer.Argument(help="trace files, folders or patterns")],
    map_: MapOption = "",
    format_: FormatOption = "",
    read_voltage: VoltageOption = None,
    skip: SkipOption = 0,
    where: WhereOption = "",
    limits: LimitsOption = "",
    keep_going: KeepGoingOption = False,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Show format, columns, units, devices and pulses of trace files, and what would be excluded and why."""
    from weakreset.traces.find_files import find_files
    from weakreset.traces.inspection import inspect_lot

    chosen = TraceOptions(files, map_, format_, read_voltage, limits, where, skip=skip)
    console = console_for(json_)
    with progress_bar(Console(stderr=True)) as progress:
        paths = find_files(files)
        lot = inspect_lot(paths, chosen.options, progress if len(paths) > _IN_DETAIL else None)
    found = list(lot.files)
    if len(found) <= _IN_DETAIL:
        for inspection in found:
            if not inspection.problem:
                _show(console, inspection)
    else:
        # each note once, however many files have it
        for note in dict.fromkeys(n for item in found for n in item.notes if n.startswith(ASSUMED)):
            console.print(note, style="yellow", markup=False)
        console.print(_overview(found) if len(found) <= _LINE_EACH else _alike_files(found))
        console.print(_totals(found), markup=False)
        console.print(f"screening limits: {chosen.reading['limits']}", markup=False)
    problems = [inspection for inspection in found if inspection.problem]
    errors = console_for(True)
    for inspection in problems[:_PROBLEMS_SHOWN]:
        errors.print(f"weakreset: {inspection.problem}", style="red", markup=False)
    if len(problems) > _PROBLEMS_SHOWN:
        more = len(problems) - _PROBLEMS_SHOWN
        errors.print(f"weakreset: {more} more files cannot be read; --json names them all", style="red", markup=False)
    if lot.problem:
        errors.print(f"weakreset: {lot.problem}", style="red", markup=False)
    for line in (*lot.notes, lot.sentence):
        if line:
            console.print(line, markup=False)
    if json_:
        content = {"files": [inspection.to_dict() for inspection in found], "lot": lot.to_dict()}
        sys.stdout.write(json.dumps(content, indent=1, allow_nan=False) + "\n")
    # as `fit` would end with these files
    if lot.problem or len(problems) == len(found) or (problems and not keep_going):
        raise typer.Exit(2)


def _show(console: Console, inspection: FileInspection) -> None:
    """One file in detail."""
    label = " [yellow](simulated)[/]" if inspection.simulated else ""
    assumed = "".join(f" [yellow]{escape(note)}[/]" for note in inspection.notes if note.startswith(ASSUMED))
    console.print(f"[bold]{escape(inspection.path)}[/]{label}{assumed}")
    console.print(f"  {inspection.format}: {inspection.why}; {inspection.layout}", markup=False)
    console.print(_column_table(inspection))
    console.print(f"  {_content(inspection)}", markup=False)
    if inspection.sparkline:
        console.print(f"  ln R of {inspection.typical_device}: {inspection.sparkline}", markup=False)
    console.print(f"  pulses counted by {inspection.counted_by}", markup=False)
    for line in _remarks(inspection):
        console.print(f"  {line}", markup=False)
    for reason, count in inspection.excluded.items():
        console.print(f"  excluded, {count} x {reason}", markup=False, style="yellow")
    for example in inspection.examples:
        console.print(f"    {example}", markup=False)
    console.print(f"  screening limits (change with --limits): {inspection.limits}", markup=False)
    console.print(f"  to read it otherwise, change: {inspection.map_line}\n", markup=False)


def _remarks(inspection: FileInspection) -> list[str]:
    """What is worth knowing before a fit."""
    lines = [note for note in inspection.notes if not note.startswith(ASSUMED)]
    for column, counts in inspection.pulse_settings.items():
        shown = ", ".join(f"{value} ({reads} reads)" for value, reads in list(counts.items())[:_SETTINGS_SHOWN])
        more = f", and {len(counts) - _SETTINGS_SHOWN} more" if len(counts) > _SETTINGS_SHOWN else ""
        advice = f'; fit takes one of them: --where "{column}=={next(iter(counts))}"' if len(counts) > 1 else ""
        lines.append(f"pulse setting {column}: {shown}{more}{advice}")
    if inspection.read_noise is not None:
        lines.append(f"read noise {inspection.read_noise}; fit takes it with --read-sd repeats")
    return lines


def _content(inspection: FileInspection) -> str:
    """Devices, cycles, pulses, reads and range in one line."""
    names = ", ".join(inspection.devices[:4]) + (", ..." if inspection.n_devices > 4 else "")
    parts = [f"{inspection.n_devices} device{'' if inspection.n_devices == 1 else 's'} to use"]
    parts[0] += f" ({names})" if names else ""
    if inspection.n_cycles > inspection.n_devices:
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


def _totals(found: list[FileInspection]) -> str:
    """All files in one line."""
    good = [item for item in found if not item.problem]
    simulated = sum(item.simulated for item in good)
    parts = [f"{len(found)} files, {len(found) - len(good)} cannot be read"]
    parts += [f"{simulated} simulated"] if simulated else []
    parts += [f"{sum(item.n_devices for item in good)} devices to use", f"{sum(item.n_reads for item in good)} reads"]
    excluded: Counter[str] = Counter()
    for item in good:
        excluded.update(item.excluded)
    return "; ".join(parts) + "".join(f"\nexcluded, {count} x {reason}" for reason, count in excluded.most_common())


def _alike_files(found: list[FileInspection]) -> Table:
    """Very many files: a line for those of one format with the same columns."""
    groups: dict[tuple[object, ...], list[FileInspection]] = {}
    for item in found:
        roles = tuple((c.name, c.role, c.unit) for c in item.columns[:_RUNS_SHOWN])
        groups.setdefault((bool(item.problem), item.format, item.layout, roles), []).append(item)
    table = _table("files", "such as", "format", "columns", "devices", "reads", "pulses", "ohm", "ln R")
    for members in sorted(groups.values(), key=len, reverse=True)[:_LINE_EACH]:
        first = members[0]
        pulses = [m.pulse_range for m in members if m.pulse_range]
        ohms = [m.resistance_range_ohm for m in members if m.resistance_range_ohm]
        columns = ", ".join(f"{a.name}={a.role}" for a, _ in _alike(first.columns)[:8])
        cells = (
            str(len(members)), first.path, first.format, "cannot be read" if first.problem else columns,
            str(sum(m.n_devices for m in members)), str(sum(m.n_reads for m in members)),
            f"{min(p[0] for p in pulses)}:{max(p[1] for p in pulses)}" if pulses else "",
            f"{min(o[0] for o in ohms):.4g} to {max(o[1] for o in ohms):.4g}" if ohms else "", first.sparkline[::3],
        )  # fmt: skip
        table.add_row(*(escape(cell) for cell in cells))
    return table


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
