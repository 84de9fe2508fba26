"""A `--map` to print with a refusal: made from what the columns hold, tried on the table, printed if it works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from weakreset.errors import WeakResetError
from weakreset.traces.column_map import parse_map
from weakreset.traces.column_names import device_in_brackets, is_side_name, numbered
from weakreset.traces.column_role import VALUES, ColumnRole, looks_counted
from weakreset.traces.contract import Table
from weakreset.traces.doubts import UnclearLayout
from weakreset.traces.roles import find_roles
from weakreset.traces.trace import Reason
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.units import (
    PLAUSIBLE_OHM,
    PLAUSIBLE_SIEMENS,
    Unit,
    is_bracketed,
    parse_unit,
    split_name,
    unit_in_words,
)
from weakreset.traces.vocabulary import is_derived, is_plain_value, is_pulse_setting, role_of

__all__ = ["advise", "advise_sides"]

_MOST_COLUMNS = 300  # each is read once to be tried; a wider table is asked about as a whole
_PROGRAM_STEMS = frozenset(("var", "col", "column", "field", "f", "x", "y", "v", "c", "unnamed"))
_BY_ELIMINATION = 0.5  # of a column taken for a reading because nothing else was
_LEAST_SHARE = 0.7  # of the readings must be plausible before a map is offered


@dataclass(frozen=True)
class _Column:
    """A column by its contents: text, counter, ohm, siemens, or other; `still` where all its numbers are one."""

    index: int
    kind: str
    distinct: bool
    level: float
    still: bool = False


def advise(table: Table, file: str, read: Callable[[str], TraceSet], doubt: UnclearLayout) -> str:
    """Words with up to two maps that read the file as resistances that can be, or ''.

    Parameters
    ----------
    read : callable
        The traces of the file with a map, screened; raises where it cannot be read.
    doubt : UnclearLayout
        What the question is.
    """
    try:
        if doubt.device is not None:
            candidates = _device_or_cycles(table, file, doubt.device)
        elif doubt.one_of:
            candidates = [(f"for {table.names[i]!r}", text) for i, text in doubt.one_of.items()]
        else:
            candidates = _candidates(table, file)
    except WeakResetError:  # a table that cannot be parsed has no advice, and the doubt is still to be told
        return ""
    return _tried(candidates, read)


def _device_or_cycles(table: Table, file: str, device: int) -> list[tuple[str, str]]:
    """A column names the devices, or all is one device, whose ramps are its cycles."""
    roles = _roles(table, file)
    value = next((role for role in roles if role.role in VALUES), None)
    pulse = _first(roles, "pulse")
    if value is None:
        return []
    rest = f"pulse={pulse},{value.role}={value.index}" + (f"[{value.unit.symbol}]" if value.unit else "")
    return [(f"if column {device} names the devices", f"device={device},{rest}"), ("if all is one device", rest)]


def advise_sides(read: Callable[[str], TraceSet]) -> str:
    """The same for a matrix of which nothing says which side is pulses."""
    sides = [("if every column is one pulse", "pulse=@column"), ("if every row is one pulse", "pulse=@row")]
    return _tried(sides, read)


def _tried(candidates: Sequence[tuple[str, str]], read: Callable[[str], TraceSet]) -> str:
    working: list[tuple[str, str]] = []
    for words, text in candidates:
        if len(working) < 2 and text not in [other for _, other in working] and _works(text, read):
            working.append((words, text))
    if not working:
        return ""
    return ". Tried on this file: " + "; ".join(f"{words}, say --map {text}" for words, text in working)


def _works(text: str, read: Callable[[str], TraceSet]) -> bool:
    try:
        traces = read(text)
    except WeakResetError:
        return False
    if not traces.traces or _begins_with_words(traces):
        return False
    ohm = np.concatenate([trace.resistance_ohm for trace in traces])
    left_out = sum(item.n_readings for item in traces.exclusions)
    plausible = PLAUSIBLE_OHM[0] <= float(np.median(ohm)) <= PLAUSIBLE_OHM[1]
    return plausible and len(ohm) >= _LEAST_SHARE * (len(ohm) + left_out)


def _begins_with_words(traces: TraceSet) -> bool:
    """Whether words stand where a trace begins: names of columns, or a unit, that the map runs over."""
    begins = {trace.device: int(trace.pulses[0]) for trace in traces}
    return any(
        item.reason == Reason.TEXT.words and item.pulse is not None and item.pulse < begins.get(item.device, 0)
        for item in traces.exclusions
    )


def _candidates(table: Table, file: str) -> list[tuple[str, str]]:
    roles = _roles(table, file)
    columns = [_look_at(table, i) for i in range(min(len(table.names), _MOST_COLUMNS))]
    values, word = _readings(table, roles, columns)
    if not values:
        return []
    device = _first(roles, "device") or next((f"{c.index}" for c in columns if c.kind == "text"), "")
    pulse = _first(roles, "pulse") or next(
        (f"{c.index}" for c in columns if c.kind == "counter" and f"{c.index}" != device and c.index not in values), ""
    )
    shown = _runs(values, len(columns) < len(table.names), len(table.names))
    named = f"device={device}," if device else ""
    found: list[tuple[str, str]] = []
    if len(values) == 1:
        if pulse:
            found.append((f"if column {pulse} counts the pulses", f"{named}pulse={pulse},{word}={values[0]}"))
        found.append(("if every row is one pulse", f"{named}pulse=@row,{word}={values[0]}"))
        return found
    if device:
        if pulse:
            found += [("to choose one", f"{named}pulse={pulse},{word}={value}") for value in values[:2]]
        found.append(("if every row is a device", f"{named}{word}={shown}"))
        return found
    if pulse:
        found.append((f"if column {pulse} counts the pulses", f"pulse={pulse},{word}={shown}"))
    else:
        found.append(("if every row is one pulse", f"pulse=@row,{word}={shown}"))
    first = next((c for c in columns if c.index not in values and c.distinct), None)
    if first is not None and table.n_rows > 1:
        words = f"if every row is a device, named in column {first.index}"
        found.append((words, f"device={first.index},{word}={shown}"))
    found.append(("if every row is a device", f"{word}={shown}"))
    return found


def _roles(table: Table, file: str) -> list[ColumnRole]:
    try:
        return find_roles(table, parse_map(None), file)
    except WeakResetError:
        return []


def _first(roles: Sequence[ColumnRole], kind: str) -> str:
    return next((str(role.index) for role in roles if role.role == kind), "")


def _readings(table: Table, roles: Sequence[ColumnRole], columns: Sequence[_Column]) -> tuple[list[int], str]:
    """Columns that could be the readings, and what they would be."""
    counters = {column.index for column in columns if column.kind == "counter"}
    sure = [r for r in roles if r.role in VALUES and r.confidence > _BY_ELIMINATION and r.index not in counters]
    said = [role for role in sure if role.role != "current"] or sure
    if said:
        return [role.index for role in said if role.role == said[0].role], said[0].role
    usable = [c for c in columns if not table.has_header or not (_is_aside(n := table.names[c.index]) or _unread(n))]
    if not any(c.kind in ("ohm", "siemens") for c in usable):
        usable = [c for c in columns if _from_a_program(table.names[c.index])]
    ohm = [c.index for c in usable if c.kind == "ohm"]
    moving = [c.index for c in usable if c.kind == "ohm" and not c.still]
    ohm = moving if len(moving) == 1 else ohm  # beside the one address of all rows
    siemens = [c.index for c in usable if c.kind == "siemens" and not _is_current(table, c.index)]
    return (siemens, "conductance") if siemens and not ohm else (ohm, "resistance")


def _from_a_program(name: str) -> bool:
    """Whether a program called the column `Col3` or `X3`, which says nothing of what it holds."""
    found = numbered(name)
    return is_plain_value(name) or (found is not None and found.stem.lower() in _PROGRAM_STEMS)


def _is_current(table: Table, index: int) -> bool:
    """Whether a column of small numbers says that it holds amperes, so that it is no conductance."""
    if not table.has_header:
        return False
    unit = unit_in_words(table.names[index], "current")
    single = split_name(table.names[index])[1] == "A"
    return single or role_of(table.names[index]) == "current" or (isinstance(unit, Unit) and unit.quantity == "current")


def _unread(name: str) -> bool:
    """Whether a name ends in brackets with what may be a unit that we cannot read: its numbers may be anything."""
    text = split_name(name)[1] if is_bracketed(name) else ""
    return bool(text) and parse_unit(text) is None and not device_in_brackets(name)


def _is_aside(name: str) -> bool:
    return is_side_name(name) or is_pulse_setting(name) or is_derived(name)


def _look_at(table: Table, index: int) -> _Column:
    column = table.numbers(index)
    values = column.values[np.isfinite(column.values)]
    if 2 * len(column.text) > max(1, len(values)):
        return _Column(index, "text", False, float("nan"))
    if not values.size:
        return _Column(index, "other", False, float("nan"))
    level = float(np.median(np.abs(values)))
    distinct = len(np.unique(values)) == len(values) == table.n_rows
    if looks_counted(values):
        return _Column(index, "counter", distinct, level)
    positive = float(np.mean(values > 0)) > 0.9
    for kind, (low, high) in (("ohm", PLAUSIBLE_OHM), ("siemens", PLAUSIBLE_SIEMENS)):
        if positive and low <= level <= high:
            return _Column(index, kind, distinct, level, len(values) > 1 and bool(values.min() == values.max()))
    return _Column(index, "other", distinct, level)


def _runs(indices: Sequence[int], cut: bool, n_columns: int) -> str:
    """1, 2, 3, 7 as `1:3+7`; to the last column where only the first ones were looked at."""
    starts = [i for i, index in enumerate(indices) if i == 0 or indices[i - 1] != index - 1]
    runs = [list(indices[a:b]) for a, b in zip(starts, [*starts[1:], None], strict=True)]
    if cut and runs[-1][-1] == _MOST_COLUMNS - 1:
        runs[-1].append(n_columns - 1)
    return "+".join(f"{run[0]}:{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
