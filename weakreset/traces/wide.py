"""Step 3a for wide tables: which columns are readings, each for a reason, and in what unit they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.traces.column_names import (
    FRESH,
    alike,
    device_in_brackets,
    is_side_name,
    numbered,
    plain_name,
    says_device,
    without_unit,
)
from weakreset.traces.column_role import VALUES, ColumnRole, number_or_none
from weakreset.traces.contract import Table
from weakreset.traces.reading_unit import find_unit
from weakreset.traces.units import (
    PLAUSIBLE_OHM,
    Unit,
    is_bracketed,
    looks_like_unit,
    parse_unit,
    split_name,
    unit_in_words,
)
from weakreset.traces.vocabulary import is_pulse_setting, normalise, role_of

__all__ = ["COUNTERS", "settle_wide", "typical"]

COUNTERS = ("pulse", "burst", "operation")
_LIKE_SIZE = 5.0  # devices of one set differ by less
_LARGEST_RATIO = 30.0  # between columns of one set: devices differ by less, units by a thousand


def settle_wide(roles: list[ColumnRole], table: Table, file: str, by_rows: bool = False) -> list[ColumnRole]:
    """Columns that no name says to be a reading become readings where they are alike, or their name says a device.

    `by_rows` says that rows count the pulses.

    Raises
    ------
    TraceFormatError
        One of several alike columns states a unit and the values of another are not of its size.
    """
    if not table.has_header:
        return roles
    has_device = any(role.role == "device" for role in roles)
    counted = by_rows or any(role.role in COUNTERS for role in roles)
    named = [role for role in roles if role.role in VALUES]
    candidates = [role for role in roles if _could_be_reading(role, table, has_device, counted)]
    if has_device:
        chosen = _numbered_readings(roles, candidates, counted)
        if counted and named:
            chosen = []
    else:
        chosen = _device_columns(roles, named, candidates, table, counted)
    if chosen and not counted:
        chosen += [role for role in roles if _is_fresh(role.name)] if all(map(_numbers_pulse, chosen)) else []
    if chosen and counted and not named and not has_device:
        _refuse_lost(chosen, candidates, table, file)
    return _as_readings(roles, chosen, table, file) if chosen else roles


def _numbers_pulse(role: ColumnRole) -> bool:
    found = numbered(role.name)
    return found is not None and found.counts == "pulse"


def _refuse_lost(
    chosen: Sequence[ColumnRole], candidates: Sequence[ColumnRole], table: Table, file: str
) -> None:
    """Raise where columns whose values are like those of the devices have names unlike theirs: devices, too?"""
    members, level = {role.index for role in chosen}, typical(chosen, table)
    rest = [role for role in candidates if role.index not in members]
    lost = [role for role in rest if 1 / _LIKE_SIZE <= typical([role], table) / level <= _LIKE_SIZE]
    if lost:
        names = ", ".join(repr(role.name) for role in lost[:4])
        every = "+".join(str(role.index) for role in sorted([*chosen, *lost], key=lambda role: role.index))
        raise TraceFormatError(
            f"{file}: {names} hold values like those of {chosen[0].name!r}, but nothing in their names says whether "
            f"they are devices. If they are, --map resistance={every}; if not, --map ignore={lost[0].index}"
            f"{''.join(f',ignore={role.index}' for role in lost[1:])}"
        )


def _could_be_reading(role: ColumnRole, table: Table, has_device: bool, counted: bool) -> bool:
    if role.role != "extra" or role.confidence <= 0.4 or not role.name.strip():
        return False
    found = numbered(role.name)
    pulse_named = not counted and found is not None and found.counts == "pulse"
    if not pulse_named and (is_side_name(role.name) or is_pulse_setting(role.name)):
        return False
    return pulse_named or _numeric(table, role.index)  # with few rows, an overflow may be all that a pulse has


def _numbered_readings(roles: list[ColumnRole], candidates: list[ColumnRole], counted: bool) -> list[ColumnRole]:
    """Beside a device column: columns numbered by pulses, or, where pulses are counted, reads that are repeated."""
    wanted = VALUES if counted else ("", "pulse", *VALUES)
    possible = {role.index for role in candidates}
    several = [r for r in roles if r.role in VALUES or r.index in possible]
    numbers = {r.index: found.counts for r in several if (found := numbered(r.name)) is not None}
    members = [r for r in several if numbers.get(r.index, "name") in wanted]
    groups = Counter(alike(r.name) for r in members)
    if not groups:
        return []
    largest, size = groups.most_common(1)[0]
    return [r for r in members if alike(r.name) == largest] if size > 1 else []


def _is_fresh(name: str) -> bool:
    """Whether a column among others numbered by pulses holds the reads before the first: `Initial`."""
    return normalise(without_unit(name)) in FRESH


def _device_columns(
    roles: list[ColumnRole], named: list[ColumnRole], candidates: list[ColumnRole], table: Table, counted: bool
) -> list[ColumnRole]:
    """Columns that are a device each (or, where their names count pulses and nothing else does, a pulse each)."""
    groups = Counter(alike(plain_name(role.name, table.name_set)) for role in (*named, *candidates))
    if named:
        sure = max(named, key=lambda role: role.confidence)
        same = [role for role in named if role.role == sure.role and role.confidence == sure.confidence]
        kinds = {alike(plain_name(role.name, table.name_set)) for role in same}
        joined = [role for role in candidates if alike(role.name) in kinds]
        return [*same, *joined] if joined else []
    if not counted:
        counts = [found.counts for role in candidates if (found := numbered(role.name)) is not None]
        if not counts and len(candidates) < 2:
            return []
    chosen = [role for role in candidates if groups[alike(role.name)] > 1 or says_device(role.name)]
    if chosen and not counted:
        usual = Counter(alike(role.name) for role in chosen).most_common(1)[0][0]
        chosen = [role for role in chosen if alike(role.name) == usual]
        return chosen if len(chosen) > 1 else []
    if not chosen and counted and len(candidates) == 1:
        return candidates
    return chosen


def _as_readings(
    roles: list[ColumnRole], chosen: Sequence[ColumnRole], table: Table, file: str
) -> list[ColumnRole]:
    quantity, unit, reason = _quantity(roles, chosen, table, file)
    members = {role.index for role in chosen}
    alone = len(chosen) == 1
    read = [_as_reading(role, quantity, unit, reason, table, alone) for role in roles if role.index in members]
    sure = 0.9 if all(role.unit for role in read) else 0.5
    settled = {role.index: replace(role, confidence=sure) if role.role == quantity else role for role in read}
    return [settled.get(role.index, role) for role in roles]


def _as_reading(
    role: ColumnRole, quantity: str, unit: Unit | None, reason: str, table: Table, alone: bool
) -> ColumnRole:
    """The column as a reading; not one where the words behind its name are a unit that we do not know."""
    if role.unit or role.role == quantity:
        return replace(role, role=quantity, unit=role.unit or unit)
    found = find_unit(table, role.index, quantity, "")
    text = split_name(role.name)[1] if is_bracketed(role.name) and not device_in_brackets(role.name) else ""
    # Of a column that is the only one left, or whose brackets were garbled, the brackets must be understood.
    garbled = text and (alone or not text.isascii())
    in_words = not role.name.isdigit() and unit_in_words(role.name, quantity)
    if found.problem or garbled or looks_like_unit(text) or in_words:
        doubt = found.problem or f"{role.name!r} ends in {text!r}, which is not a unit that we know"
        return replace(role, role="extra", confidence=0.0, reason=f"{doubt}: map it by hand")
    reason = f"the file says {found.unit.symbol}" if found.unit else reason
    return replace(role, role=quantity, reason=reason, unit=found.unit or unit)


def _quantity(
    roles: list[ColumnRole], chosen: Sequence[ColumnRole], table: Table, file: str
) -> tuple[str, Unit | None, str]:
    """What the columns hold, the unit of those that state none, and why."""
    stated = next((role for role in chosen if role.unit and role.unit.quantity in VALUES), None)
    if stated is not None and stated.unit is not None:
        _same_size(chosen, table, file)
        return stated.unit.quantity, stated.unit, f"alike to {stated.name!r}, whose unit is {stated.unit.symbol}"
    if said := _stated_quantity(table):
        return said, None, f"the file says {said}"
    words = {role.role for role in chosen if role.role in VALUES}
    words |= {found.counts for role in chosen if (found := numbered(role.name)) and found.counts in VALUES}
    level = typical(chosen, table)
    if words == {"current"} and any(role.role == "read_voltage" for role in roles):
        return "current", None, "the names say current, no unit given, ampere assumed"
    if words == {"conductance"} and not PLAUSIBLE_OHM[0] <= level <= PLAUSIBLE_OHM[1]:
        return "conductance", None, "the names say conductance, no unit given, siemens assumed"
    return "resistance", None, "no unit given, ohm assumed"


def _stated_quantity(table: Table) -> str:
    """What all readings of the file are where their columns do not say it; '' where nothing does."""
    reading = role_of(table.metadata.get("reading", ""))
    unit = parse_unit(table.metadata.get("unit", ""))
    if reading in VALUES:
        return reading
    stated = [role for role in VALUES if f"{role} unit" in table.metadata]
    return unit.quantity if unit and unit.quantity in VALUES else stated[0] if stated else ""


def typical(columns: Sequence[ColumnRole], table: Table) -> float:
    """The median size of the numbers in these columns, NaN where there are none."""
    values = np.concatenate([np.abs(table.numbers(role.index).values) for role in columns[:50]])
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else float("nan")


def _same_size(chosen: Sequence[ColumnRole], table: Table, file: str) -> None:
    """A unit that one column states holds for alike columns whose values are of one size with its own."""
    known = [role for role in chosen if role.unit]
    level = typical(known, table)
    unit = known[0].unit
    for role in chosen:
        ratio = typical([role], table) / level if role.unit is None else 1.0
        if unit is not None and not 1 / _LARGEST_RATIO <= ratio <= _LARGEST_RATIO:
            raise TraceFormatError(
                f"{file}: column {known[0].name!r} states {unit.symbol} and {role.name!r}, whose values are "
                f"{ratio:.3g} times as large, states no unit; write the unit of each into the header, or choose "
                "columns with --map resistance=COLUMNS[UNIT]"
            )


def _numeric(table: Table, index: int) -> bool:
    cells = [row[index] for row in table.sample if index < len(row)]
    if not cells and table.n_rows:  # a column of a block
        return True
    return any(number_or_none(cell) is not None for cell in cells)
