"""Step 3b: how a table holds its traces: long, wide by column, or wide by row; and how to say so by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.traces.addresses import refuse_unnamed_devices
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.column_names import device_in_brackets, numbered, plain_name, read_at
from weakreset.traces.contract import Table
from weakreset.traces.doubts import UnclearLayout, UnitDoubtError
from weakreset.traces.maps import refuse_one_read_each
from weakreset.traces.no_resistance import refuse_converted
from weakreset.traces.orientation import find_pairs, pulse_side, refuse_counters
from weakreset.traces.other_measurements import refuse_by_names, refuse_uncounted
from weakreset.traces.roles import DECLARED, LIKELY, VALUES, ColumnRole, find_roles, number_or_none
from weakreset.traces.units import is_relative, split_name
from weakreset.traces.vocabulary import role_of

__all__ = ["Layout", "find_layout", "runs_of"]

_NO_PULSE = (
    "no column is recognised as the pulse number; name it with --map pulse=COLUMN (pulse=@row where every row is one "
    "pulse, pulse=@file where the name of the file counts them, burst=COLUMN for the pulses applied before each read)"
)


@dataclass(frozen=True)
class Layout:
    """How a table holds its traces, and the roles of its columns.

    `kind` is long, wide-by-column, wide-by-row, pairs (each column of readings with a pulse column of its own, whose
    indices are `pair_pulses`) or repeats (the columns of readings are reads repeated without a pulse between).
    `column_pulses` are the pulse numbers of the reading columns of a wide-by-row table. `rows_assumed`: nothing but the
    names of the columns, which are devices, says that the rows are the pulses.
    """

    kind: str
    columns: tuple[ColumnRole, ...]
    device_constant: str = ""
    read_voltage_v: float | None = None
    row_counter: bool = False
    column_pulses: tuple[int, ...] = ()
    pair_pulses: tuple[int, ...] = ()
    rows_assumed: bool = False
    device_by_file: bool = False

    def of(self, *roles: str) -> list[ColumnRole]:
        """Columns of these roles."""
        return [column for column in self.columns if column.role in roles]

    @property
    def values(self) -> list[ColumnRole]:
        """The columns of readings; all are of one quantity."""
        return self.of(*VALUES)

    @property
    def counted_by(self) -> str:
        """What gives the pulse numbers, in words."""
        if self.kind == "wide-by-row":
            return "columns"
        if self.kind == "pairs":
            return f"{len(set(self.pair_pulses))} columns, one before each device"
        if self.rows_assumed:
            return "rows: the columns are devices, so every row is taken for one pulse"
        for role in ("pulse", "burst"):
            if columns := self.of(role):
                since = " (pulses applied since the last read)" if role == "burst" else ""
                return f"column {columns[0].name!r}{since}"
        return f"RESET rows of column {self.of('operation')[0].name!r}" if self.of("operation") else "rows"

    @property
    def map_line(self) -> str:
        """The `--map` that says by hand what was guessed, to copy and change."""
        parts = [f"device='{self.device_constant}'"] if self.device_constant else []
        if self.kind == "pairs":
            return "none: --map knows one pulse column, each device has its own here"
        for role in ("device", "cycle", "pulse", "burst", "operation", *VALUES, "unit", "read_voltage"):
            if columns := self.of(role):
                symbol = f"[{columns[0].unit.symbol}]" if columns[0].unit else ""
                parts.append(f"{role}={runs_of([column.index for column in columns])}{symbol}")
        if self.row_counter:
            parts.append("pulse=@row")
        if self.read_voltage_v is not None and not self.of("read_voltage"):
            parts.append(f"read_voltage='{self.read_voltage_v}'")
        return "--map " + ",".join(parts)


def runs_of(indices: list[int]) -> str:
    """1, 2, 3, 7 as `1:3+7`."""
    starts = [i for i, index in enumerate(indices) if i == 0 or indices[i - 1] != index - 1]
    runs = [indices[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]
    return "+".join(f"{run[0]}:{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def find_layout(table: Table, column_map: ColumnMap, file: str) -> Layout:
    """Layout of a table by the roles of its columns: from `column_map` first and the header second.

    Raises
    ------
    UnclearLayout
        No header and no map, nothing that could be the pulse number or the reading, or two equal candidates.
    TraceFormatError
        The table is of another measurement, or the map names a column that is not there.
    """
    if not table.has_header and not column_map:
        raise UnclearLayout(
            f"{file}: no header line, so nothing says which column is what; {_warn_negative(table)}{_columns(table)}"
        )
    refuse_by_names(table, column_map, file)
    roles = find_roles(table, column_map, file)
    refuse_converted(roles, table, column_map, file)
    constants: dict[str, str] = {}
    counter = False
    for entry in column_map.entries:
        counter |= entry.row_counter
        if entry.constant is not None:
            constants[entry.role] = entry.constant
    voltage = (
        constants.get("read_voltage")
        or number_or_none(table.metadata.get("read_voltage_v", ""))
        or _voltage_in_names([role for role in roles if role.role == "current"], file)
    )
    by_file = any(entry.by_file for entry in column_map.of("device"))
    layout = Layout(
        "long", tuple(roles), constants.get("device") or "", float(voltage) if voltage else None, counter,
        device_by_file=by_file,
    )  # fmt: skip
    values = layout.values
    _refuse_doubts(roles, values, table, file)
    if not values:
        if not counter and not layout.of("pulse", "burst", "operation"):
            refuse_uncounted(layout.columns, table, file)
        raise UnclearLayout(
            f"{file}: no column is recognised as resistance, conductance or current; {_columns(table)}"
        )
    if not column_map.of("pulse") and (pairs := find_pairs(roles, table)):
        return replace(layout, kind="pairs", columns=pairs.columns, pair_pulses=pairs.pulses)
    layout = replace(layout, columns=_one_pulse_column(roles, table))
    if counter or layout.of("pulse", "burst", "operation"):
        kind = _counted_kind(layout)
        if kind == "long" and not (column_map or table.device):
            refuse_unnamed_devices(layout.columns, table, file)
        return replace(layout, kind=kind)
    return _uncounted(layout, table, column_map, file)


def _counted_kind(layout: Layout) -> str:
    """Something counts the pulses: one column of readings, a column a device, or reads repeated in columns."""
    values = layout.values
    if len(values) > 1 and (layout.of("burst", "device") or layout.device_constant):
        found = [numbered(role.name) for role in values]
        one_unit = len({role.unit.scale if role.unit else 1.0 for role in values}) == 1
        if one_unit and (all(item and item.counts in VALUES for item in found) or layout.of("device")):
            return "repeats"
    by_elimination = values[0].confidence <= 0.5 and not layout.of("device")
    one_device = values[0].reason == DECLARED or by_elimination or device_in_brackets(values[0].name)
    return "wide-by-column" if len(values) > 1 or one_device else "long"


def _uncounted(layout: Layout, table: Table, column_map: ColumnMap, file: str) -> Layout:
    """Nothing counts the pulses: the columns do, or the rows do where the columns are devices."""
    values = layout.values
    refuse_uncounted(layout.columns, table, file)
    if len(values) < 2:
        refuse_one_read_each(layout.of("device"), table, file)
        raise UnclearLayout(f"{file}: {_NO_PULSE}")
    by_row = replace(layout, kind="wide-by-row")
    if table.metadata.get("layout") == "wide-by-row" or column_map.of(*VALUES):
        return replace(by_row, column_pulses=_column_pulses(values, table))
    names = [numbered(plain_name(role.name, table.name_set)) for role in values]
    numbers = [item.number for item in names if item is not None]
    distinct = len(set(numbers)) == len(values)
    counts = {item.counts for item in names if item is not None}
    if layout.of("device") or layout.device_constant:
        if distinct and "name" not in counts:
            return replace(by_row, column_pulses=tuple(numbers))
        raise UnclearLayout(
            f"{file}: {_NO_PULSE}. Readings are in {len(values)} columns ({values[0].name!r}, {values[1].name!r}, "
            "...) whose names do not number the pulses"
        )
    side = pulse_side(names, distinct, table.n_rows, values)
    if side == "columns":
        return replace(by_row, column_pulses=tuple(numbers))
    if side == "rows":
        refuse_counters(layout.columns, values, table, file)
        _refuse_repeated_rows(values, table, file)
        return replace(layout, kind="wide-by-column", row_counter=True, rows_assumed=True)
    raise UnclearLayout(
        f"{file}: {table.n_rows} rows of {len(values)} columns ({values[0].name!r}, {values[1].name!r}, ...) and "
        "nothing says whether the rows or the columns are the pulses"
    )


def _refuse_doubts(roles: list[ColumnRole], values: list[ColumnRole], table: Table, file: str) -> None:
    """Raise where the unit of what seem to be the readings cannot be read."""
    doubts = [role for role in roles if role.confidence == 0]
    if not doubts or (values and values[0].confidence > LIKELY):
        return
    said = doubts[0].reason.removesuffix(": map it by hand")
    if all(is_relative(text) for role in doubts for text in _said_units(role, table)):
        raise TraceFormatError(
            f"{file}: {doubts[0].name!r} holds no resistances: {said}. Normalised or logarithmic values must be "
            "converted back to ohm or siemens"
        )
    named = [quantity for role in doubts if (quantity := role_of(split_name(role.name)[0])) in VALUES]
    raise UnitDoubtError(
        f"{file}: no column is recognised as resistance, conductance or current; {doubts[0].name!r}: {said}",
        tuple(role.index for role in doubts), tuple(dict.fromkeys(named)) or ("resistance", "conductance"),
    )


def _said_units(role: ColumnRole, table: Table) -> list[str]:
    """Texts beside the name of a column, and in it, that should be units."""
    beside = table.units[role.index] if role.index < len(table.units) else ""
    return [text for text in (split_name(role.name)[1], beside) if text] or [""]


def _voltage_in_names(currents: list[ColumnRole], file: str) -> float | None:
    """The read voltage that the names of currents say: `I @ 0.2 V (uA)`, `I(200mV)`.

    Raises
    ------
    TraceFormatError
        They say several.
    """
    volts = [read_at(role.name) for role in currents]
    said = {volt for volt in volts if volt is not None}
    if len(said) > 1:
        names = ", ".join(repr(role.name) for role in currents[:4])
        ways = " or ".join(f"--map current={role.index}" for role in currents[:2])
        raise TraceFormatError(f"{file}: {names} are currents at several read voltages; choose one, {ways}")
    return said.pop() if said and None not in volts else None


def _refuse_repeated_rows(values: list[ColumnRole], table: Table, file: str) -> None:
    """Rows count no pulses where one repeats the row before it in every column: a line exported twice."""
    matrix = np.column_stack([table.numbers(role.index).values for role in values])
    again = np.flatnonzero(np.all(matrix[1:] == matrix[:-1], axis=1))
    if again.size and len(values) > 1:
        raise TraceFormatError(
            f"{file}, {table.place_of(int(again[0]) + 1)}: the line before it once more ({again.size} such lines), and "
            "no column numbers the pulses, so rows cannot count them. Take repeated lines out, or add a column `pulse`"
        )


def _one_pulse_column(roles: list[ColumnRole], table: Table) -> tuple[ColumnRole, ...]:
    """The surest pulse column that moves counts, others are extras (`n_pulses` beside `total_pulses` stands still)."""
    pulses = [role for role in roles if role.role == "pulse"]
    if len(pulses) < 2:
        return tuple(roles)
    moves = {role.index: bool(np.mean(np.diff(table.numbers(role.index).values) > 0) > 0.5) for role in pulses}
    kept = max(pulses, key=lambda role: (moves[role.index], role.confidence))
    return tuple(replace(r, role="extra") if r.role == "pulse" and r is not kept else r for r in roles)


def _column_pulses(values: list[ColumnRole], table: Table) -> tuple[int, ...]:
    """The numbers in the names, in whatever order, where all have one of their own; else 0, 1, 2, ..."""
    found = [numbered(role.name) for role in values] if table.has_header else []
    numbers = [item.number for item in found if item is not None]
    return tuple(numbers) if len(set(numbers)) == len(values) else tuple(range(len(values)))


def _warn_negative(table: Table) -> str:
    """A warning where a column is mostly negative: no map can make resistances of normalised values."""
    for i, name in enumerate(table.names[:8]):
        values = [number_or_none(row[i]) for row in table.sample if i < len(row)]
        negative = [value for value in values if value is not None and value < 0]
        if 2 * len(negative) > len(values):
            return (
                f"and {name} is mostly negative (such as {negative[0]:g}), so ln R is undefined there: values that are "
                "normalised or offset must first be converted back to ohm or siemens; "
            )
    return ""


def _columns(table: Table) -> str:
    """What the columns look like."""
    shown = []
    for i, name in enumerate(table.names[:8]):
        cell = next((row[i] for row in table.sample if i < len(row) and row[i].strip()), "empty")
        shown.append(f"{i}{f' {name!r}' if table.has_header else ''} = {cell[:24]}")
    return f"columns: {', '.join(shown)}{', ...' if len(table.names) > 8 else ''}"
