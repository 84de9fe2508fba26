"""Steps 3 to 5: what the tables of a file mean, up to its traces; and which of them are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from weakreset.errors import TraceFormatError, WeakResetError
from weakreset.resources import sha256_meanwhile
from weakreset.traces.advice import advise, advise_sides
from weakreset.traces.assemble import find_traces
from weakreset.traces.cell_units import lift_cell_units
from weakreset.traces.column_map import ColumnMap, parse_map
from weakreset.traces.contract import FileContent, Table
from weakreset.traces.direction import note_direction
from weakreset.traces.doubts import UnclearLayout, UnitDoubtError
from weakreset.traces.find_files import file_stem
from weakreset.traces.layout import Layout, find_layout
from weakreset.traces.maps import refuse_numbered_sides
from weakreset.traces.open_file import OpenFile, ReadingOptions, refuse_changed
from weakreset.traces.per_device import a_table_a_device
from weakreset.traces.pulse_files import with_pulse_of_file
from weakreset.traces.ramps import tell_ramps_apart
from weakreset.traces.readers.stated_units import lift_units_row
from weakreset.traces.readings import Readings, find_readings
from weakreset.traces.roles import VALUES, find_roles
from weakreset.traces.screening import screen
from weakreset.traces.shared_names import apart_by_table
from weakreset.traces.square import UnclearSides, turn
from weakreset.traces.trace import Exclusion
from weakreset.traces.trace_set import SourceFile, TraceSet
from weakreset.traces.unit_doubt import assumed_unit, check_assumed, with_ways
from weakreset.traces.units import LONGEST_NAME

__all__ = ["FileRead", "choose_traces", "understand"]

_SAY_WHICH = "Say which column is which with --map device=COLUMN,pulse=COLUMN,resistance=COLUMN"
_MOST_TRIED = 50  # tables of a file on which a map is tried; there may be thousands, alike
_LEAST_ROWS = 30  # a table of fewer holds no trace that could be fitted


@dataclass(frozen=True)
class FileRead:
    """What one file gave: its traces before screening, and how its (first) table was understood."""

    traces: TraceSet
    layout: Layout
    n_tables: int


def understand(opened: OpenFile, options: ReadingOptions) -> FileRead:
    """Steps 3 to 5: the traces of the tables of a file, or of a part of it; the file is hashed meanwhile.

    Raises
    ------
    TraceFormatError
        The tables cannot be understood as pulse traces.
    """
    file, content = opened.name, opened.content
    _refuse_long_names(content, file)
    digest = None if content.sha256 else sha256_meanwhile(opened.path)
    if not options.column_map:
        for table in content.tables[:_MOST_TRIED]:
            refuse_numbered_sides(table, file)
    tables, maps = _turned(content, opened, options)
    tables, maps, aside = _without_other_tables(tables, maps, file)
    layouts, found = _find_readings(tables, maps, opened, options)
    parts = [find_traces(*part, file) for part in zip(found, tables, layouts, strict=True)]
    parts = apart_by_table(parts, tables, file)
    sha256 = content.sha256 if digest is None else digest.result()
    refuse_changed(opened)
    source = SourceFile(file, sha256, opened.format, opened.why, content.simulated)
    notes = tuple(dict.fromkeys(filter(None, map(assumed_unit, layouts))))
    joined = TraceSet.join(parts)
    joined = replace(joined, exclusions=(*joined.exclusions, *aside))
    return FileRead(replace(joined, sources=(source,), notes=notes), layouts[0], len(parts))


def _refuse_long_names(content: FileContent, file: str) -> None:
    """A "name" of megabytes is no header; patterns would be tried at every sign of it, and refusals repeat it."""
    for table in content.tables:
        for i, name in enumerate(table.names):
            if len(name) > LONGEST_NAME:
                raise TraceFormatError(
                    f"{file}: column {i} has a name of {len(name)} signs ({name[:40]!r}...); a table of readings has "
                    f"none of more than {LONGEST_NAME}"
                )


def _without_other_tables(
    tables: list[Table], maps: list[ColumnMap], file: str
) -> tuple[list[Table], list[ColumnMap], list[Exclusion]]:
    """Without tables that cannot hold a run, such as a summary beside the sheets of readings; those by name."""
    run = [_may_hold_run(table, column_map, file) for table, column_map in zip(tables, maps, strict=True)]
    if all(run) or not any(run):
        return tables, maps, []
    aside = []
    for table, other in zip(tables, run, strict=True):
        if not other:
            name = table.hints.get("table", "") or table.device or ", ".join(table.names[:3])
            reason = "a table without pulses or readings, no run"
            aside.append(Exclusion(name, reason, file=file, n_readings=0))
    kept = [i for i, yes in enumerate(run) if yes]
    return [tables[i] for i in kept], [maps[i] for i in kept], aside


def _may_hold_run(table: Table, column_map: ColumnMap, file: str) -> bool:
    """False for a table of few rows with names of columns, in which nothing is a pulse number or nothing a reading."""
    if column_map or not table.has_header or table.n_rows >= _LEAST_ROWS:
        return True
    try:
        found = {role.role for role in find_roles(table, column_map, file)}
    except WeakResetError:
        return True
    counted = bool(found & {"pulse", "burst", "operation"})
    return counted if found & set(VALUES) else False


def _turned(content: FileContent, opened: OpenFile, options: ReadingOptions) -> tuple[list[Table], list[ColumnMap]]:
    """The tables with their rows of units lifted, matrices turned; and the map that is left for each."""
    tables, maps = [], []
    whole = bool(options.column_map.of(*VALUES))  # a map numbers the columns of the table as it is
    apart = content.tables if whole else chain.from_iterable(map(a_table_a_device, content.tables))
    for plain in apart:
        table = lift_units_row(plain)
        try:
            table, rest = with_pulse_of_file(table, options.column_map, file_stem(opened.path))
            turned, rest = turn(table, rest, opened.name)
        except UnclearSides as error:
            raise TraceFormatError(f"{error}{advise_sides(_reader_of(opened, options))}") from error
        tables.append(lift_cell_units(turned))
        maps.append(rest)
    return tables, maps


def _reader_of(opened: OpenFile, options: ReadingOptions) -> Callable[[str], TraceSet]:
    """What reads all tables of a file with another map, to try it."""

    def read(text: str) -> TraceSet:
        trial, file = replace(options, column_map=parse_map(text)), opened.name
        tables, maps = _turned(opened.content, opened, trial)
        tables, maps, _ = _without_other_tables(tables[:_MOST_TRIED], maps[:_MOST_TRIED], file)
        layouts = [find_layout(table, column_map, file) for table, column_map in zip(tables, maps, strict=True)]
        found = [
            find_readings(table, layout, file, file_stem(opened.path), options.read_voltage_v)
            for table, layout in zip(tables, layouts, strict=True)
        ]
        parts = [find_traces(*part, file) for part in zip(found, tables, layouts, strict=True)]
        return choose_traces(TraceSet.join(apart_by_table(parts, tables, file)), options)

    return read


def _find_readings(
    tables: Sequence[Table], maps: Sequence[ColumnMap], opened: OpenFile, options: ReadingOptions
) -> tuple[list[Layout], list[Readings]]:
    """Layout and readings of each table; where one is unclear, or a unit in doubt, the refusal shows maps that work."""
    file, voltage_v = opened.name, options.read_voltage_v
    layouts: list[Layout] = []
    found: list[Readings] = []
    try:
        for table, column_map in zip(tables, maps, strict=True):
            try:
                layouts.append(find_layout(table, column_map, file))
                found.append(find_readings(table, layouts[-1], file, file_stem(opened.path), voltage_v))
            except UnclearLayout as error:
                tried = advise(table, file, _reader_of(opened, options), error) or f". {_SAY_WHICH}"
                raise TraceFormatError(f"{error}{tried}") from error
    except UnitDoubtError as doubt:
        raise with_ways(doubt, tables, options.column_map, voltage_v, file) from None
    check_assumed(tables, layouts, found, options.column_map, voltage_v, file)
    return layouts, found


def choose_traces(traces: TraceSet, options: ReadingOptions, part: bool = False) -> TraceSet:
    """Step 7: the reads that `where` selects, screened. In a `part` of a whole there may be nothing to select."""
    if options.where:
        from weakreset.traces.selection import select_where

        traces = select_where(traces, options.where, part=part)
    if options.limits is None:
        return traces
    # who is far from the others would depend on where a stream is cut into parts
    limits = replace(options.limits, far_decades=0.0) if part else options.limits
    return note_direction(screen(tell_ramps_apart(traces, limits.split_ramps), limits))
