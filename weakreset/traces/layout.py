"""From named columns to the layout of a table: long, wide by column, or wide by row, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from weakreset.errors import TraceFormatError
from weakreset.traces.columns import ColumnMap, ColumnRole
from weakreset.traces.hints import hint, is_number, number_or_none, warn_negative
from weakreset.traces.operations import settle_counting
from weakreset.traces.pulse_settings import is_pulse_setting
from weakreset.traces.table import Table
from weakreset.traces.units import QUANTITIES, Unit, parse_unit, split_name
from weakreset.traces.vocabulary import ADDRESS_WORDS, classify_name, is_derived, is_side_column, normalise

__all__ = ["VALUES", "Layout", "find_layout"]

_DECLARED = "the file says wide-by-column"
VALUES = ("resistance", "conductance", "current")
_NUMBERED = re.compile(r"^(?:[A-Za-z#]+[ _.]?)?(\d+)$")


@dataclass(frozen=True)
class Layout:
    """How a table holds its traces: `kind` is long, wide-by-column or wide-by-row; the roles of its columns.

    `column_pulses` are the pulse numbers of the reading columns of a wide-by-row table.
    """

    kind: str
    columns: tuple[ColumnRole, ...]
    device_constant: str = ""
    read_voltage_v: float | None = None
    row_counter: bool = False
    column_pulses: tuple[int, ...] = ()

    @property
    def counted_by(self) -> str:
        """What gives the pulse numbers, in words."""
        if self.kind == "wide-by-row":
            return "columns"
        for role in ("pulse", "burst"):
            if columns := self.of(role):
                since = " (pulses applied since the last read)" if role == "burst" else ""
                return f"column {columns[0].name!r}{since}"
        return f"RESET rows of column {self.of('operation')[0].name!r}" if self.of("operation") else "rows"

    def of(self, *roles: str) -> list[ColumnRole]:
        """Columns of these roles."""
        return [column for column in self.columns if column.role in roles]


def find_layout(table: Table, column_map: ColumnMap, where: str) -> Layout:
    """Roles of the columns of a table, from `column_map` first and the header second.

    Raises
    ------
    TraceFormatError
        No header and no map, nothing that could be the pulse number or the reading, or two equal candidates;
        the message holds a `--map` to start from. Or the map names a column that is not there.
    """
    if not table.has_header and not column_map:
        raise TraceFormatError(
            f"{where}: no header line, so nothing says which column is what; {warn_negative(table)}{hint(table)}"
        )
    roles = [_guess(table, i) for i in range(len(table.names))] if table.has_header else _unnamed(table)
    if table.metadata.get("layout") == "wide-by-column" and not column_map:
        roles = _declared_wide(table)
    roles, mapped_values = _apply_map(roles, column_map, table, where)
    roles = _settle_values(roles, mapped_values, table, where)
    roles = settle_counting(_settle_devices(roles), table, where)
    return _shape(roles, column_map, table, where)


def _guess(table: Table, index: int) -> ColumnRole:
    header = table.names[index]
    if header.isascii() and header.isdigit():
        return ColumnRole(index, header, "extra", 0.5, "a number; kept as an extra column")
    bare, unit_text = split_name(header)
    bracketed = header.rstrip().endswith(("]", ")"))
    if not header.strip():
        return ColumnRole(index, header, "ignore", 1.0, "no name")
    if is_derived(bare):
        return ColumnRole(index, header, "ignore", 0.9, "computed from readings, not a reading")
    whole, known = classify_name(header), classify_name(bare)
    if whole and not bracketed and whole[1] >= 0.9:
        return ColumnRole(index, header, *whole, f"the name says {whole[0]}", _default_unit(whole[0], table))
    unit = parse_unit(unit_text, known[0] if known else None)
    if known and known[0] in QUANTITIES and (unit or bracketed):
        return _named_with_unit(index, header, known, unit, unit_text)
    if known and bracketed:
        return ColumnRole(index, header, *known, f"the name says {known[0]}")
    if unit and unit.quantity in VALUES and (bracketed or len(unit.symbol) > 1):
        return ColumnRole(index, header, unit.quantity, 0.6, f"the unit is {unit.symbol}", unit)
    if whole and not bracketed:
        return ColumnRole(index, header, *whole, f"the name may mean {whole[0]}", _default_unit(whole[0], table))
    if is_pulse_setting(header):
        return ColumnRole(index, header, "extra", 0.9, "amplitude or width of the pulses; kept, never mixed in a fit")
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


def _default_unit(role: str, table: Table) -> Unit | None:
    stated = parse_unit(table.metadata.get("unit", ""), role)
    return stated if stated and stated.quantity == role else None


def _unnamed(table: Table) -> list[ColumnRole]:
    return [
        ColumnRole(i, name, "extra", 0.5, "no header; not mapped, kept as an extra column")
        for i, name in enumerate(table.names)
    ]


def _declared_wide(table: Table) -> list[ColumnRole]:
    unit = parse_unit(table.metadata.get("unit", "ohm"))
    quantity = unit.quantity if unit and unit.quantity in VALUES else "resistance"
    pulse = ColumnRole(0, table.names[0], "pulse", 1.0, _DECLARED)
    return [pulse] + [
        ColumnRole(i, name, quantity, 1.0, _DECLARED, unit)
        for i, name in enumerate(table.names)
        if i > 0
    ]


def _apply_map(
    roles: list[ColumnRole], column_map: ColumnMap, table: Table, where: str
) -> tuple[list[ColumnRole], bool]:
    roles = list(roles)
    mapped: set[int] = set()
    given = {entry.role for entry in column_map.entries}
    for entry in column_map.entries:
        for index in entry.resolve(table.names, where):
            unit = entry.unit or (roles[index].unit if roles[index].role == entry.role else None)
            unit = unit or (parse_unit(split_name(table.names[index])[1], entry.role) if table.has_header else None)
            unit = unit if unit and unit.quantity == entry.role else None
            roles[index] = ColumnRole(index, table.names[index], entry.role, 1.0, "given by --map", unit)
            mapped.add(index)
    values_given = bool(given & set(VALUES))
    for index, role in enumerate(roles):
        superseded = role.role in given or (values_given and role.role in VALUES)
        if index not in mapped and superseded and role.role != "ignore":
            roles[index] = replace(role, role="extra", reason=f"--map takes another column for {role.role}")
    return roles, values_given


def _settle_values(roles: list[ColumnRole], mapped: bool, table: Table, where: str) -> list[ColumnRole]:
    """One quantity is the reading: resistance before conductance before current, the surest name of it."""
    present = [quantity for quantity in VALUES if any(role.role == quantity for role in roles)]
    if mapped or not present:
        return roles if mapped else _wide_without_units(roles, table)
    best = max(present, key=lambda q: (max(r.confidence for r in roles if r.role == q) >= 0.6, -VALUES.index(q)))
    top = max(role.confidence for role in roles if role.role == best)
    chosen = [role.index for role in roles if role.role == best and role.confidence == top]
    has_device = any(role.role == "device" for role in roles)
    if len(chosen) > 1 and has_device:
        names = ", ".join(repr(table.names[i]) for i in chosen)
        raise TraceFormatError(f"{where}: {names} could each be the {best}; choose one, --map {best}={chosen[0]}")
    return [
        replace(role, role="extra", reason=f"{table.names[chosen[0]]!r} is taken for the reading")
        if role.role in VALUES and role.index not in chosen
        else role
        for role in roles
    ]


def _wide_without_units(roles: list[ColumnRole], table: Table) -> list[ColumnRole]:
    """No column says that it is a reading: beside a pulse column, unknown numeric columns are devices in ohm."""
    by_row = [role.index for role in roles if _NUMBERED.match(role.name) and role.role == "extra"]
    has_pulse = any(role.role == "pulse" for role in roles)
    has_device = any(role.role == "device" for role in roles)
    if has_device and has_pulse:
        return roles
    unit = parse_unit(table.metadata.get("unit", ""))
    quantity = unit.quantity if unit and unit.quantity in VALUES else "resistance"
    reason = f"the file says {unit.symbol}" if unit else "no unit given, ohm assumed"
    columns = [r.index for r in roles if r.role == "extra" and r.confidence > 0 and not _beside(r.name)]
    chosen = [i for i in columns if _numeric(table, i)] if has_pulse else by_row if len(by_row) >= 2 else []
    readings = set(chosen)  # a file may have a hundred thousand columns
    return [
        replace(role, role=quantity, confidence=0.9 if unit else 0.5, reason=reason, unit=unit)
        if role.index in readings
        else role
        for role in roles
    ]


def _beside(name: str) -> bool:
    return is_side_column(name) or is_pulse_setting(name)


def _numeric(table: Table, index: int) -> bool:
    cells = [row[index] for row in table.sample if index < len(row) and row[index].strip()]
    return any(is_number(cell) for cell in cells)


def _settle_devices(roles: list[ColumnRole]) -> list[ColumnRole]:
    """One column is the device; without one, address columns (wafer, die, row, col) name it together."""
    devices = [role for role in roles if role.role == "device"]
    if devices:
        if all(role.reason == "given by --map" for role in devices):
            return roles
        top = max(devices, key=lambda role: (role.confidence, -_device_rank(role.name)))
        return [
            replace(role, role="extra", reason=f"{top.name!r} is taken for the device")
            if role.role == "device" and role is not top
            else role
            for role in roles
        ]
    return [
        replace(role, role="device", confidence=0.7, reason="part of the address of the device")
        if role.role == "extra" and normalise(role.name) in ADDRESS_WORDS
        else role
        for role in roles
    ]


def _device_rank(name: str) -> int:
    order = ("device", "device id", "device name", "dut", "dev", "cell", "cell id", "addr", "address")
    return order.index(normalise(name)) if normalise(name) in order else len(order)


def _shape(roles: Sequence[ColumnRole], column_map: ColumnMap, table: Table, where: str) -> Layout:
    constants = {entry.role: entry.constant for entry in column_map.entries if entry.constant is not None}
    voltage = constants.get("read_voltage") or number_or_none(table.metadata.get("read_voltage_v", ""))
    counter = any(entry.row_counter for entry in column_map.entries)
    layout = Layout(
        "long", tuple(roles), constants.get("device") or "", float(voltage) if voltage else None, counter
    )
    values = layout.of(*VALUES)
    pulses = layout.of("pulse")
    if not values:
        doubts = "".join(f" {role.name!r}: {role.reason}." for role in roles if role.confidence == 0)
        raise TraceFormatError(
            f"{where}: no column is recognised as resistance, conductance or current;{doubts} {hint(table)}"
        )
    if len(pulses) > 1:
        pulses = sorted(pulses, key=lambda role: -role.confidence)[:1]
        kept = pulses[0].index
        roles = [replace(r, role="extra") if r.role == "pulse" and r.index != kept else r for r in roles]
        layout = replace(layout, columns=tuple(roles))
    if pulses or counter or layout.of("burst", "operation"):
        by_elimination = values[0].confidence <= 0.5 and not layout.of("device")
        declared = values[0].reason == _DECLARED
        wide = len(values) > 1 or declared or by_elimination
        return replace(layout, kind="wide-by-column" if wide else "long")
    if len(values) > 1:
        return replace(layout, kind="wide-by-row", column_pulses=_column_pulses(values, table))
    raise TraceFormatError(
        f"{where}: no column is recognised as the pulse number; name it with --map pulse=COLUMN, or say "
        "--map pulse=@row if every row is one pulse, or --map burst=COLUMN for the pulses applied before each read"
    )


def _column_pulses(values: list[ColumnRole], table: Table) -> tuple[int, ...]:
    numbers = [_number_in(role.name) for role in values] if table.has_header else []
    found = [number for number in numbers if number is not None]
    rising = all(a < b for a, b in pairwise(found))
    return tuple(found) if len(found) == len(values) and rising else tuple(range(len(values)))


def _number_in(name: str) -> int | None:
    if name.isascii() and name.isdigit():
        return int(name)
    match = _NUMBERED.match(split_name(name)[0])
    return int(match[1]) if match else None
