"""Step 3a: what each column of a table is: device, cycle, pulse, reading, its unit; and how sure that is, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces.addresses import settle_devices
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.column_names import alike, device_in_brackets, plain_name, read_at, without_unit, words_apart
from weakreset.traces.column_role import GIVEN, VALUES, ColumnRole, number_or_none
from weakreset.traces.contract import Table
from weakreset.traces.doubts import UnclearLayout
from weakreset.traces.reading_unit import find_unit
from weakreset.traces.units import (
    QUANTITIES,
    Unit,
    is_bracketed,
    looks_like_unit,
    parse_unit,
    split_name,
    unit_in_words,
)
from weakreset.traces.vocabulary import (
    OPERATIONS,
    classify_name,
    is_average,
    is_derived,
    is_plain_value,
    is_pulse_setting,
    is_side_column,
    is_unit_key,
    normalise,
)
from weakreset.traces.wide import COUNTERS, settle_wide

__all__ = ["DECLARED", "LIKELY", "VALUES", "ColumnRole", "find_roles", "number_or_none"]

DECLARED = "the file says wide-by-column"
_MOST_WORDS = 40  # of a column shown as its reason
_MULTIPLIED = re.compile(r"\w\s*[*×·]\s*(?:10*\b|10?\s*\^|\d*e[-+]?\d)|[\s(\[][x×]\s*(?:10+\b|10\^|1e\d)")  # `R*1000`
_MULTIPLES = frozenset(("k", "m", "meg", "u", "g", "kilo", "mega"))
"""Behind the name of a reading, `R_k`: a unit, but whose?"""
LIKELY = 0.6  # of a role, before it is taken without a word


def find_roles(table: Table, column_map: ColumnMap, file: str) -> list[ColumnRole]:
    """A role for each column: guessed from its name, put right by the map, doubts settled.

    Raises
    ------
    TraceFormatError
        Two equal candidates, or the map names a column that is not there or holds something else.
    UsageError
        The map counts pulses in two ways.
    """
    if not table.has_header:
        unnamed = "no header; not mapped, kept as an extra column"
        roles = [ColumnRole(i, name, "extra", 0.5, unnamed) for i, name in enumerate(table.names)]
    elif table.metadata.get("layout") == "wide-by-column" and not column_map:
        roles = _declared_wide(table)
    else:
        roles = [_guess(i, header, table) for i, header in enumerate(table.names)]
    if column_map:
        roles = _apply_map(roles, column_map, table, file)
    if table.has_header and not column_map.of("operation", "ignore"):
        roles = _operations_by_cells(roles, table)
    roles = _value_beside_unit(_only_averages(roles, table), table)
    roles = _settle_values(roles, column_map, table, file)
    roles = settle_devices(roles, table)
    return _settle_counting(roles, table, file)


def _guess(index: int, header: str, table: Table) -> ColumnRole:
    role = _guess_by_name(index, header, table)
    if role.role in QUANTITIES:
        plain = words_apart(plain_name(header, table.name_set))
        plain = split_name(plain)[0] if device_in_brackets(plain) or _is_voltage_of(plain, role.role) else plain
        found = find_unit(table, index, role.role, plain)
        if found.problem:
            return replace(role, role="extra", confidence=0.0, reason=f"{found.problem}: map it by hand", unit=None)
        return replace(role, unit=found.unit)
    beside = table.units[index] if index < len(table.units) else ""
    if role.role == "extra" and role.confidence > 0 and beside:
        unit = parse_unit(beside)
        if unit and unit.quantity in VALUES and not is_side_column(header):
            return replace(role, role=unit.quantity, confidence=0.6, reason=f"the unit is {unit.symbol}", unit=unit)
        doubt = looks_like_unit(beside) and unit is None
        return replace(role, confidence=0.0 if doubt else 0.4, reason=f"{beside[:60]!r} is not a unit that we know")
    return role


def _guess_by_name(index: int, header: str, table: Table) -> ColumnRole:
    if header.isascii() and header.isdigit():
        return ColumnRole(index, header, "extra", 0.5, "a number; kept as an extra column")
    role = _guess_by_words(index, words_apart(plain_name(header, table.name_set)), table)
    return replace(role, name=header)


def _guess_by_words(index: int, header: str, table: Table) -> ColumnRole:
    bare, unit_text = split_name(header)
    bracketed = is_bracketed(header)
    if not header.strip():
        return ColumnRole(index, header, "ignore", 1.0, "no name")
    whole, known = classify_name(header), classify_name(bare)
    counts = whole is not None and whole[0] == "burst"  # `delta pulses` is no change of a reading
    if not counts and (is_derived(bare) or (not bracketed and is_derived(header))):
        return ColumnRole(index, header, "ignore", 0.9, "computed from readings, not a reading")
    if is_unit_key(header):
        return _unit_column(index, header, table)
    if _MULTIPLIED.search(header):
        reason = f"{header!r} says that the values were multiplied: map it by hand"
        return ColumnRole(index, header, "extra", 0.0, reason)
    if whole and not bracketed and whole[1] >= 0.9:
        return ColumnRole(index, header, *whole, f"the name says {whole[0]}")
    if len(header) > 1 and (alone := parse_unit(header)) and alone.quantity in VALUES:
        return ColumnRole(index, header, alone.quantity, 0.6, f"the unit is {alone.symbol}", alone)
    unit = parse_unit(unit_text, known[0] if known else None)
    if known and known[0] in VALUES and device_in_brackets(header):
        return ColumnRole(index, header, known[0], 0.8, "the name says reading and device")
    if known and _is_voltage_of(header, known[0]):
        return ColumnRole(index, header, *known, "the name says current and its read voltage")
    if known and known[0] in QUANTITIES and (unit or bracketed):
        return _named_with_unit(index, header, known, unit, unit_text)
    if known and bracketed:
        return ColumnRole(index, header, *known, f"the name says {known[0]}")
    if unit and unit.quantity in VALUES and (bracketed or len(unit.symbol) > 1):
        return ColumnRole(index, header, unit.quantity, 0.6, f"the unit is {unit.symbol}", unit)
    if whole and not bracketed:
        return ColumnRole(index, header, *whole, f"the name may mean {whole[0]}")
    if known and known[0] in VALUES and unit_text.lower() in _MULTIPLES:
        return _named_with_unit(index, header, known, None, unit_text)
    if isinstance(inside := unit_in_words(header, "resistance"), Unit):
        return ColumnRole(index, header, "resistance", 0.6, f"the unit is {inside.symbol}", inside)
    if is_pulse_setting(header):
        return ColumnRole(index, header, "extra", 0.9, "amplitude or width of the pulses; kept, never mixed in a fit")
    return ColumnRole(index, header, "extra", 0.5, "not recognised; kept as an extra column")


def _is_voltage_of(header: str, quantity: str) -> bool:
    """Whether the brackets behind the name of a current hold the voltage it was read at: `I(0.1V)`."""
    return quantity == "current" and is_bracketed(header) and read_at(f"({split_name(header)[1]})") is not None


def _operations_by_cells(roles: list[ColumnRole], table: Table) -> list[ColumnRole]:
    """A column whose cells all say SET, RESET or READ, two of them at least, is what was done, whatever its name."""
    if any(role.role == "operation" for role in roles):
        return roles
    for role in roles:
        cells = {normalise(row[role.index]) for row in table.sample if role.index < len(row)}
        if role.role == "extra" and len({OPERATIONS.get(cell) for cell in cells}) > 1 and cells <= OPERATIONS.keys():
            found = replace(role, role="operation", confidence=0.7, reason="its cells say what was done")
            return [found if other is role else other for other in roles]
    return roles


def _only_averages(roles: list[ColumnRole], table: Table) -> list[ColumnRole]:
    """A mean of several reads is the reading where one column holds it and no other reads are there."""
    means = [role for role in roles if role.role == "ignore" and is_average(without_unit(role.name))]
    if len(means) != 1 or any(role.role in VALUES for role in roles) or not table.has_header:
        return roles
    index = means[0].index
    words = [word for word in re.split(r"[\s_.]+", without_unit(means[0].name)) if not is_average(word)]
    quantity = classify_name(" ".join(words) or without_unit(means[0].name)[:1])
    if quantity is None or quantity[0] not in VALUES:
        return roles
    found = find_unit(table, index, quantity[0], means[0].name)
    if found.problem:
        return roles
    mean = replace(means[0], role=quantity[0], confidence=0.6, reason="the mean of several reads", unit=found.unit)
    return [mean if role.index == index else role for role in roles]


def _value_beside_unit(roles: list[ColumnRole], table: Table) -> list[ColumnRole]:
    """A column `Value` or `Reading` holds what the cells of a column `Unit` say, where all of them say one quantity."""
    units = [role for role in roles if role.role == "unit" and role.reason != GIVEN]
    plain = [role for role in roles if role.role == "extra" and is_plain_value(role.name)]
    if len(units) != 1 or len(plain) != 1 or any(role.role in VALUES for role in roles):
        return roles
    cells = {row[units[0].index] for row in table.sample if units[0].index < len(row)}
    said = {found.quantity if (found := parse_unit(cell)) else "" for cell in cells if cell.strip()}
    if len(said) != 1 or not said <= set(VALUES):
        return roles
    reason = f"column {units[0].name!r} says {', '.join(sorted(cells))[:_MOST_WORDS]}"
    value = replace(plain[0], role=said.pop(), confidence=0.8, reason=reason)
    return [value if role is plain[0] else role for role in roles]


def _unit_column(index: int, header: str, table: Table) -> ColumnRole:
    """A column `unit` holds units, unless its cells number the units that were measured."""
    cells = {row[index].strip() for row in table.sample if index < len(row)} - {""}
    if any(map(looks_like_unit, cells)) or (cells and not any(any(map(str.isdigit, cell)) for cell in cells)):
        return ColumnRole(index, header, "unit", 0.95, "its cells are units of the readings")
    return ColumnRole(index, header, "extra", 0.5, "not recognised; kept as an extra column")


def _named_with_unit(
    index: int, header: str, known: tuple[str, float], unit: Unit | None, unit_text: str
) -> ColumnRole:
    if unit is None:
        reason = f"the name says {known[0]} but {unit_text!r} is not a unit of it that we know: map it by hand"
        return ColumnRole(index, header, "extra", 0.0, reason)
    if unit.quantity != known[0]:
        reason = f"the name says {known[0]} but {unit.symbol} is a unit of {unit.quantity}: map it by hand"
        return ColumnRole(index, header, "extra", 0.0, reason, unit)
    return ColumnRole(index, header, known[0], min(1.0, known[1] + 0.04), f"name and unit say {known[0]}", unit)


def _declared_wide(table: Table) -> list[ColumnRole]:
    unit = parse_unit(table.metadata.get("unit", "ohm"))
    quantity = unit.quantity if unit and unit.quantity in VALUES else "resistance"
    pulse = ColumnRole(0, table.names[0], "pulse", 1.0, DECLARED)
    return [pulse] + [
        ColumnRole(i, name, quantity, 1.0, DECLARED, unit)
        for i, name in enumerate(table.names)
        if i > 0
    ]


def _apply_map(roles: list[ColumnRole], column_map: ColumnMap, table: Table, file: str) -> list[ColumnRole]:
    """The roles given by hand; columns that were guessed for one of them become extras."""
    given = {entry.role for entry in column_map.entries}
    given |= set(VALUES) if given & set(VALUES) else set()
    given |= {"unit"} if any(entry.unit for entry in column_map.of(*VALUES)) else set()
    settled = list(roles)
    for role in roles:
        if role.role in given and role.role != "ignore":
            words = f"--map takes another column for {role.role}"
            settled[role.index] = replace(role, role="extra", reason=words)
    mapped: dict[int, ColumnRole] = {}
    for entry in column_map.entries:
        for index in entry.resolve(table.names, file):
            guessed = mapped.get(index, roles[index])
            unit = entry.unit or (guessed.unit if guessed.role == entry.role else None)
            if unit is None and entry.role in QUANTITIES:
                unit = _own_unit(table, index, entry.role)
            mapped[index] = ColumnRole(index, table.names[index], entry.role, 1.0, GIVEN, unit)
    return [mapped.get(role.index, role) for role in settled]


def _own_unit(table: Table, index: int, quantity: str) -> Unit | None:
    """The unit that the file says of a mapped column; none where that cannot be read."""
    return find_unit(table, index, quantity, table.names[index] if table.has_header else "").unit


def _only(roles: Sequence[ColumnRole], kinds: Sequence[str], kept: Collection[int], reason: str) -> list[ColumnRole]:
    """The roles; columns of these `kinds` that are not `kept` become extras, for a reason."""
    return [
        replace(role, role="extra", reason=reason) if role.role in kinds and role.index not in kept else role
        for role in roles
    ]


def _settle_values(
    roles: list[ColumnRole], column_map: ColumnMap, table: Table, file: str
) -> list[ColumnRole]:
    """One quantity is the reading: resistance before conductance before current, the surest name of it."""
    if column_map.of(*VALUES):
        return roles
    by_rows = any(entry.row_counter for entry in column_map.entries)
    roles = settle_wide(roles, table, file, by_rows)
    values = [role for role in roles if role.role in VALUES]
    if len(values) < 2:
        return roles
    surest = {role.role: role.confidence for role in sorted(values, key=lambda role: role.confidence)}
    best = max(sorted(surest, key=VALUES.index), key=lambda quantity: surest[quantity] >= LIKELY)
    chosen = {role.index: role.name for role in roles if role.role == best and role.confidence == surest[best]}
    counted = any(role.role == "device" for role in roles) and any(role.role in COUNTERS for role in roles)
    repeated = any(role.role == "burst" for role in roles) and len({alike(name) for name in chosen.values()}) == 1
    _refuse_two_quantities(roles, chosen, file)
    if len(chosen) > 1 and counted and not repeated:
        names = ", ".join(map(repr, chosen.values()))
        words = f"{file}: {names} could each be the {best}; choose one"
        # only of readings at several voltages it is sure that each is one of the same devices
        voltages = all(read_at(name) is not None for name in chosen.values())
        raise UnclearLayout(words, one_of={index: f"{best}={index}" for index in chosen} if voltages else None)
    return _only(roles, VALUES, chosen, f"{chosen[min(chosen)]!r} is taken for the reading")


def _refuse_two_quantities(roles: Sequence[ColumnRole], chosen: Mapping[int, str], file: str) -> None:
    """Raise where columns that are a device each are of two quantities: `D0 (kohm)` beside `D1 (uS)`."""
    kinds = {alike(name) for name in chosen.values() if classify_name(without_unit(name)) is None}
    for role in roles:
        if role.role in VALUES and role.index not in chosen and alike(role.name) in kinds:
            raise TraceFormatError(
                f"{file}: {chosen[min(chosen)]!r} and {role.name!r} are alike in name and of two quantities; the "
                "devices of a table are read in one. Convert one of them, or split the table"
            )


def _settle_counting(roles: Sequence[ColumnRole], table: Table, file: str) -> list[ColumnRole]:
    """One way of counting pulses: a pulse column before bursts before operations; doubtful columns become extras."""
    if not {role.role for role in roles} & {"operation", "burst"}:
        return list(roles)
    settled = [_settle_operation(role, table, file) if role.role == "operation" else role for role in roles]
    settled = _only_first(_only_first(settled, "operation"), "burst")
    bursts = [role for role in settled if role.role == "burst"]
    pulses = [role for role in settled if role.role == "pulse"]
    if not bursts or not pulses:
        return settled
    if bursts[0].reason == GIVEN and any(role.reason == GIVEN for role in pulses):
        raise UsageError(f"{file}: --map gives both pulse and burst; pulses are counted by one of them")
    loser, winner = ("pulse", bursts[0]) if bursts[0].reason == GIVEN else ("burst", pulses[0])
    return _only(settled, [loser], [], f"pulses are counted by {winner.name!r}")


def _settle_operation(role: ColumnRole, table: Table, file: str) -> ColumnRole:
    names = table.codes(role.index)[1]
    unknown = [name for name in names if normalise(name) not in OPERATIONS]
    if not unknown and names:
        return replace(role, reason=f"{role.reason}: it says {', '.join(names[:_MOST_WORDS])}")
    words = f"{unknown[0]!r} is not an operation that we know" if unknown else "it is empty"
    if role.reason == GIVEN:
        known = ", ".join(sorted(OPERATIONS))
        raise TraceFormatError(f"{file}, column {role.name!r}: {words}; it may say {known}")
    return replace(role, role="extra", confidence=0.5, reason=f"{words}; kept as an extra column")


def _only_first(roles: Sequence[ColumnRole], kind: str) -> list[ColumnRole]:
    """Of columns of a kind that only one can have, the first or the mapped one."""
    found = [role for role in roles if role.role == kind]
    if len(found) < 2:
        return list(roles)
    first = min(found, key=lambda role: (role.reason != GIVEN, role.index))
    return _only(roles, [kind], [first.index], f"{first.name!r} is taken for the {kind}")
