"""Step 3b: how a table holds its traces: long, wide by column, or wide by row; and how to say so by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from weakreset.errors import TraceFormatError
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.contract import Table
from weakreset.traces.roles import DECLARED, LIKELY, NUMBERED, VALUES, ColumnRole, find_roles, number_or_none
from weakreset.traces.units import split_name
from weakreset.traces.vocabulary import role_of

__all__ = ["Layout", "UnitDoubtError", "find_layout", "runs_of"]

_NO_PULSE = (
    "no column is recognised as the pulse number; name it with --map pulse=COLUMN, or say --map pulse=@row if every "
    "row is one pulse, or --map burst=COLUMN for the pulses applied before each read"
)


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
        for role in ("pulse", "burst"):
            if columns := self.of(role):
                since = " (pulses applied since the last read)" if role == "burst" else ""
                return f"column {columns[0].name!r}{since}"
        return f"RESET rows of column {self.of('operation')[0].name!r}" if self.of("operation") else "rows"

    @property
    def map_line(self) -> str:
        """The `--map` that says by hand what was guessed, to copy and change."""
        parts = [f"device='{self.device_constant}'"] if self.device_constant else []
        for role in ("device", "cycle", "pulse", "burst", "operation", *VALUES, "unit", "read_voltage"):
            if columns := self.of(role):
                symbol = f"[{columns[0].unit.symbol}]" if columns[0].unit else ""
                parts.append(f"{role}={runs_of([column.index for column in columns])}{symbol}")
        if self.row_counter:
            parts.append("pulse=@row")
        if self.read_voltage_v is not None and not self.of("read_voltage"):
            parts.append(f"read_voltage='{self.read_voltage_v}'")
        return "--map " + ",".join(parts)


class UnitDoubtError(TraceFormatError):
    """What a file says of the unit of its readings cannot be read: which `columns`, and what they may be."""

    def __init__(self, words: str, columns: tuple[int, ...], quantities: tuple[str, ...]) -> None:
        super().__init__(words)
        self.columns, self.quantities = columns, quantities


def runs_of(indices: list[int]) -> str:
    """1, 2, 3, 7 as `1:3+7`."""
    starts = [i for i, index in enumerate(indices) if i == 0 or indices[i - 1] != index - 1]
    runs = [indices[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]
    return "+".join(f"{run[0]}:{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def find_layout(table: Table, column_map: ColumnMap, file: str) -> Layout:
    """Layout of a table by the roles of its columns: from `column_map` first and the header second.

    Raises
    ------
    TraceFormatError
        No header and no map, nothing that could be the pulse number or the reading, or two equal candidates;
        the message holds a `--map` to start from. Or the map names a column that is not there.
    """
    if not table.has_header and not column_map:
        raise TraceFormatError(
            f"{file}: no header line, so nothing says which column is what; {_warn_negative(table)}{_hint(table)}"
        )
    roles = find_roles(table, column_map, file)
    constants: dict[str, str] = {}
    counter = False
    for entry in column_map.entries:
        counter |= entry.row_counter
        if entry.constant is not None:
            constants[entry.role] = entry.constant
    voltage = constants.get("read_voltage") or number_or_none(table.metadata.get("read_voltage_v", ""))
    layout = Layout(
        "long", _one_pulse_column(roles), constants.get("device") or "", float(voltage) if voltage else None, counter
    )
    values = layout.values
    _refuse_doubts(roles, values, file)
    if not values:
        raise TraceFormatError(f"{file}: no column is recognised as resistance, conductance or current; {_hint(table)}")
    if counter or layout.of("pulse", "burst", "operation"):
        by_elimination = values[0].confidence <= 0.5 and not layout.of("device")
        wide = len(values) > 1 or values[0].reason == DECLARED or by_elimination
        return replace(layout, kind="wide-by-column" if wide else "long")
    if len(values) > 1:
        return replace(layout, kind="wide-by-row", column_pulses=_column_pulses(values, table))
    raise TraceFormatError(f"{file}: {_NO_PULSE}")


def _refuse_doubts(roles: list[ColumnRole], values: list[ColumnRole], file: str) -> None:
    """Raise where the unit of what seem to be the readings cannot be read."""
    doubts = [role for role in roles if role.confidence == 0]
    if not doubts or (values and values[0].confidence > LIKELY):
        return
    said = doubts[0].reason.removesuffix(": map it by hand")
    named = [quantity for role in doubts if (quantity := role_of(split_name(role.name)[0])) in VALUES]
    raise UnitDoubtError(
        f"{file}: no column is recognised as resistance, conductance or current; {doubts[0].name!r}: {said}",
        tuple(role.index for role in doubts), tuple(dict.fromkeys(named)) or ("resistance", "conductance"),
    )


def _one_pulse_column(roles: list[ColumnRole]) -> tuple[ColumnRole, ...]:
    """The surest pulse column counts, others are extras."""
    pulses = [role for role in roles if role.role == "pulse"]
    if len(pulses) < 2:
        return tuple(roles)
    kept = max(pulses, key=lambda role: role.confidence)
    return tuple(replace(r, role="extra") if r.role == "pulse" and r is not kept else r for r in roles)


def _column_pulses(values: list[ColumnRole], table: Table) -> tuple[int, ...]:
    numbers = [_number_in(role.name) for role in values] if table.has_header else []
    found = [number for number in numbers if number is not None]
    rising = all(a < b for a, b in pairwise(found))
    return tuple(found) if len(found) == len(values) and rising else tuple(range(len(values)))


def _number_in(name: str) -> int | None:
    if name.isascii() and name.isdigit():
        return int(name)
    match = NUMBERED.match(split_name(name)[0])
    return int(match[1]) if match else None


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


def _hint(table: Table) -> str:
    """A map to start from, and what the columns look like."""
    shown = []
    for i, name in enumerate(table.names[:8]):
        cell = next((row[i] for row in table.sample if i < len(row) and row[i].strip()), "empty")
        shown.append(f"{i}{f' {name!r}' if table.has_header else ''} = {cell[:24]}")
    example = "resistance=0,pulse=@row" if len(table.names) == 1 else "device=0,pulse=1,resistance=2"
    if len(table.names) == 2:
        example = "pulse=0,resistance=1"
    if len(table.names) > 50:
        example = "device=0,resistance=1:"
    more = ", ..." if len(table.names) > 8 else ""
    return f"columns: {', '.join(shown)}{more}. Say which is which, for example --map {example}"
