"""`--map`: which column is the device, the pulse number, the reading, said by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces.units import QUANTITIES, Unit, parse_unit

__all__ = ["ROLES", "ColumnMap", "MapEntry", "parse_map"]

ROLES = (
    "device", "cycle", "pulse", "burst", "operation", "resistance", "conductance", "current", "read_voltage", "unit",
    "ignore",
)  # fmt: skip

_ENTRY = re.compile(r"""\s*(?P<role>\w+)\s*=\s*(?P<value>'[^']*'|"[^"]*"|[^,]*?)\s*(?:,|$)""")
_RANGE = re.compile(r"^(\d*):(\d*)$")
_WITH_UNIT = re.compile(r"^(?P<column>.*?)\s*\[(?P<unit>[^\]]*)\]$")


@dataclass(frozen=True)
class MapEntry:
    """One `role=...` of a map: columns by name or index, or a constant, or the row counter."""

    role: str
    columns: tuple[str, ...] = ()
    constant: str | None = None
    row_counter: bool = False
    unit: Unit | None = None
    literal: str = ""
    by_file: bool = False
    column_counter: bool = False

    @property
    def text(self) -> str:
        """The entry as it is written in a map."""
        if self.row_counter:
            return f"{self.role}=@row"
        return f"{self.role}={self.literal}" if self.constant is None else f"{self.role}='{self.constant}'"

    def resolve(self, names: tuple[str, ...], file: str) -> list[int]:
        """Indices of the columns meant; a header name wins over an index.

        Raises
        ------
        TraceFormatError
            The file has no such column; quotes the ones there are.
        """
        if self.literal in names:
            return [names.index(self.literal)]
        found: list[int] = []
        for column in self.columns:
            if column in names:
                found.append(names.index(column))
            elif match := _RANGE.match(column):
                last = int(match[2]) if match[2] else len(names) - 1
                span = range(int(match[1] or 0), min(last, len(names) - 1) + 1)
                if last >= len(names) or not span:
                    raise self._missing(column, names, file)
                found.extend(span)
            elif column.isascii() and column.isdigit() and int(column) < len(names):
                found.append(int(column))
            else:
                raise self._missing(column, names, file)
        return found

    def _missing(self, column: str, names: tuple[str, ...], file: str) -> TraceFormatError:
        shown = ", ".join(f"{i}: {name}" for i, name in enumerate(names[:12]))
        more = f", ... {len(names)} columns" if len(names) > 12 else ""
        return TraceFormatError(f"{file}: --map {self.role}={column}: no such column. Columns are {shown}{more}")


@dataclass(frozen=True)
class ColumnMap:
    """Roles given by hand; see `parse_map` for the syntax."""

    entries: tuple[MapEntry, ...] = ()

    def of(self, *roles: str) -> list[MapEntry]:
        """Entries of these roles, in the order given."""
        return [entry for entry in self.entries if entry.role in roles]

    def __bool__(self) -> bool:
        return bool(self.entries)


def _parse_entry(role: str, value: str) -> MapEntry:
    if role not in ROLES:
        raise UsageError(f"--map {role}={value}: {role!r} is not a role; roles are {', '.join(ROLES)}")
    if value[:1] in {"'", '"'}:
        return _constant(role, value[1:-1])
    if value in ("@row", "@column"):
        if role != "pulse":
            raise UsageError(f"--map {role}={value}: only the pulse number can be counted by rows or columns")
        return MapEntry(role, row_counter=value == "@row", column_counter=value == "@column")
    if value == "@file":
        if role not in ("device", "pulse"):
            raise UsageError(f"--map {role}=@file: only the device or the pulse number can be that of the file")
        return MapEntry(role, by_file=True)
    unit = None
    if (match := _WITH_UNIT.match(value)) and role in QUANTITIES and (parsed := parse_unit(match["unit"], role)):
        if parsed.quantity != role:
            raise UsageError(f"--map {role}={value}: {match['unit']} is a unit of {parsed.quantity}")
        unit, plain = parsed, match["column"]
        # A header may itself end in its unit, `resistance [kohm]`: both spellings find it.
        return MapEntry(role, tuple(plain.split("+")), unit=unit, literal=value)
    columns = tuple(part.strip() for part in value.split("+"))
    if not all(columns):
        raise UsageError(f"--map {role}={value}: a column name or number is missing after '='")
    return MapEntry(role, columns, literal=value)


def _constant(role: str, text: str) -> MapEntry:
    if role == "device" and text.strip():
        return MapEntry(role, constant=text)
    if role == "read_voltage":
        number = re.match(r"^\s*([-+0-9.eE]+)\s*(\w*)\s*$", text)
        unit = parse_unit(number[2] or "V", "read_voltage") if number else None
        if number and unit and unit.quantity == "read_voltage":
            try:
                return MapEntry(role, constant=repr(float(number[1]) * unit.scale))
            except ValueError:
                pass
    raise UsageError(f"--map {role}='{text}': a quoted constant can only be a device name or a read voltage in volt")


def parse_map(text: str | Mapping[str, str] | ColumnMap | None) -> ColumnMap:
    """Column roles given by hand: `role=column,role=column,...`.

    Roles are device, cycle, pulse, resistance, conductance, current, read_voltage, unit and ignore; burst, the number
    of pulses applied since the last read; operation, a column that says SET, RESET or READ; unit, a column that says
    the unit of each reading. A column is

    - a header name (`resistance=R_read`) or a 0-based index (`resistance=2`); a header of that name wins;
    - a range, both ends included (`conductance=2:9`, `conductance=2:` to the last): one column a device when
      a pulse column is mapped (wide by column), else one column a pulse 0, 1, 2, ... (wide by row);
    - with a unit in brackets where the header has none or a wrong one (`current=3[uA]`);
    - several columns joined by `+`: they name the device together (`device=wafer+row+col`: 'w1/3/17'), or are
      one device each (`resistance=1+2+5:8`; beside a device column, reads repeated after one pulse);
    - a constant in quotes for the device (`device='cell A'`) or the read voltage (`read_voltage='0.1'`,
      `read_voltage='100 mV'`);
    - `pulse=@row`: the file has no pulse column, and every row of a device (bad ones included) is one pulse;
    - `pulse=@column`: every column of a matrix (HDF5, MATLAB) of which nothing says which side is pulses is one pulse;
    - `pulse=@file`: all readings of a file were made after the pulses that its name counts (`pulse_0010.csv`,
      `after 10 pulses.csv`);
    - `device=@file`: the whole file is one device, named after the file, whatever its columns say.

    `ignore` may repeat. Roles not mentioned are still guessed from the header; columns left over are kept as extras.

    Parameters
    ----------
    text : str, mapping of role to column, ColumnMap or None

    Raises
    ------
    UsageError
        An unknown role, a role given twice, or an entry that is not `role=column`.
    """
    if isinstance(text, ColumnMap):
        return text
    if isinstance(text, Mapping):
        entries = [_parse_entry(role.strip(), str(value).strip()) for role, value in text.items()]
    else:
        entries = _parse_text(text or "")
    seen: set[str] = set()
    for entry in entries:
        if entry.role in seen and entry.role != "ignore":
            raise UsageError(f"--map gives {entry.role} twice; name it once (a device of several columns: a+b)")
        seen.add(entry.role)
    if len(seen & {"resistance", "conductance", "current"}) > 1:
        raise UsageError("--map gives more than one of resistance, conductance, current; one is the reading")
    return ColumnMap(tuple(entries))


def _parse_text(text: str) -> list[MapEntry]:
    entries, position = [], 0
    while position < len(text):
        match = _ENTRY.match(text, position)
        if not match or not match["value"]:
            raise UsageError(
                f"--map {text}: {text[position:]!r} is not role=column; write for example device=0,pulse=1,resistance=2"
            )
        entries.append(_parse_entry(match["role"].lower(), match["value"]))
        position = match.end()
    return entries
