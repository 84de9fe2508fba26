"""Step 4a: the cells of a table that hold readings, whatever its layout, as one flat list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.column_names import device_in_brackets
from weakreset.traces.contract import NumberColumn, Table
from weakreset.traces.counting import cycle_numbers, number_column, pulse_numbers, refuse_much_text
from weakreset.traces.layout import Layout
from weakreset.traces.roles import VALUES, ColumnRole
from weakreset.traces.units import parse_unit, split_name
from weakreset.traces.vocabulary import role_of

__all__ = ["Cells", "find_cells"]

_CYCLE_NAME = re.compile(
    r"^(?P<device>.*?)(?:(?<![A-Za-z])|(?-i:(?<=[a-z])(?=[A-Z])))(?:cycles?|cyc|runs?|ramps?|rep|repetition|loop)"
    r"[ _.#-]*(?P<cycle>\d{1,6})[)\]]?$", re.IGNORECASE,
)
_READ_NAME = re.compile(r"^(?P<device>.*\w)[ _.-]+(?:read|meas|measurement|repeat)[ _.#-]*\d{1,3}$", re.IGNORECASE)
_MANY_DEVICES, _FEWEST_READS = 100_000, 3
_RESERVED = frozenset({"device", "cycle", "pulse", "resistance_ohm"})


@dataclass(frozen=True, eq=False)
class Cells:
    """One element a reading, in the order of the file and in the unit of the file.

    `device` is a code into `device_names` (-1: no name), `pulse` whole numbers or floats with NaN where there is none,
    `value` NaN where the cell is empty or holds the `text` listed, `row` the row of the table (None where every row is
    a reading).
    """

    device: NDArray[np.int64]
    device_names: list[str]
    cycle: NDArray[np.int64] | None
    pulse: NDArray[Any]
    value: NDArray[np.float64]
    text: Mapping[int, str]
    row: NDArray[np.int64] | None
    extras: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)

    def without(self, drop: NDArray[np.bool_]) -> Cells:
        """The rest, when the elements `drop` are no readings at all (blank rows, ends of shorter traces)."""
        if not drop.any():
            return self
        keep = ~drop
        new_index = np.cumsum(keep) - 1
        return Cells(
            self.device[keep],
            self.device_names,
            None if self.cycle is None else self.cycle[keep],
            self.pulse[keep],
            self.value[keep],
            {int(new_index[i]): text for i, text in self.text.items() if keep[i]},
            np.flatnonzero(keep) if self.row is None else self.row[keep],
            {name: values[keep] for name, values in self.extras.items()},
        )


def find_cells(table: Table, layout: Layout, file: str, default_device: str) -> Cells:
    """The readings of a table. Empty cells at the end of a wide table's shorter traces are none.

    Raises
    ------
    TraceFormatError
        Text where numbers should be in more than a few cells.
    """
    find: Callable[[Table, Layout, str, str], Cells] = {
        "long": _long, "wide-by-column": _wide_by_column, "wide-by-row": _wide_by_row,
        "pairs": _pairs, "repeats": _repeats,
    }[layout.kind]  # fmt: skip
    return find(table, layout, file, default_device)


def _long(table: Table, layout: Layout, file: str, default_device: str) -> Cells:
    column = number_column(table, layout.values[0], file)
    codes, names = _devices(table, layout, default_device, file)
    pulse, cycle = pulse_numbers(table, layout, file, codes)
    cells = Cells(codes, names, cycle, pulse, column.values, column.text, None, _extras(table, layout))
    if pulse.dtype.kind != "f" or not _has_nan(column.values):
        return cells
    blank = np.isnan(column.values) & np.isnan(pulse)
    blank[list(column.text)] = False
    return cells.without(blank & _no_device(table, layout) if blank.any() else blank)


def _wide_by_column(table: Table, layout: Layout, file: str, default_device: str) -> Cells:
    roles = layout.values
    matrix, texts = _matrix(table, roles, file)
    n_rows, n_columns = matrix.shape
    pulse, cycle = pulse_numbers(table, layout, file, np.zeros(n_rows, dtype=np.int64))
    flat_text = {column * n_rows + row: text for (row, column), text in texts.items()}
    names, codes = _column_devices(table, roles), np.arange(n_columns)
    found = None if cycle is not None else _cycles_in_names(names, roles, table.device or default_device)
    numbers = None if cycle is None else np.tile(cycle, n_columns)
    if found is not None:
        names, codes = found[0], found[1]
        numbers = np.repeat(found[2], n_rows)
    _refuse_repeats(names, file)
    cells = Cells(
        np.repeat(codes, n_rows), names, numbers, np.tile(pulse, n_columns), matrix.T.ravel(), flat_text,
        np.tile(np.arange(n_rows), n_columns), _extras(table, layout, lambda cells: np.tile(cells, n_columns)),
    )  # fmt: skip
    unread = _unread(matrix, texts).T.ravel()
    if table.metadata.get("empty") == "not read":
        empty = np.isnan(cells.value)
        empty[list(flat_text)] = False
        unread |= empty
    return cells.without(unread)


def _wide_by_row(table: Table, layout: Layout, file: str, default_device: str) -> Cells:
    order = np.argsort(layout.column_pulses, kind="stable")
    values = layout.values
    matrix, texts = _matrix(table, [values[i] for i in order], file)
    n_rows, n_reads = matrix.shape
    codes, names = _devices(table, layout, "", file)
    if not layout.of("device") and not layout.device_constant:
        codes = np.arange(n_rows)
        names = [f"row {row}" for row in range(n_rows)] if n_rows > 1 else [default_device]
    cycle = cycle_numbers(table, layout, file)
    cells = Cells(
        np.repeat(codes, n_reads), names, None if cycle is None else np.repeat(cycle, n_reads),
        np.tile(np.asarray(layout.column_pulses, dtype=np.float64)[order], n_rows), matrix.ravel(),
        {row * n_reads + column: text for (row, column), text in texts.items()},
        np.repeat(np.arange(n_rows), n_reads), _extras(table, layout, lambda cells: np.repeat(cells, n_reads)),
    )  # fmt: skip
    return cells.without(_unread(matrix.T, {(c, r): t for (r, c), t in texts.items()}).T.ravel())


def _pairs(table: Table, layout: Layout, file: str, default_device: str) -> Cells:
    """Each column of readings with the pulse column that belongs to it."""
    roles = layout.values
    matrix, texts = _matrix(table, roles, file)
    n_rows, n_columns = matrix.shape
    by_index = {column.index: column for column in layout.columns}
    counters = {i: number_column(table, by_index[i], file).values for i in set(layout.pair_pulses)}
    flat_text = {column * n_rows + row: text for (row, column), text in texts.items()}
    cells = Cells(
        np.repeat(np.arange(n_columns), n_rows), _column_devices(table, roles), None,
        np.concatenate([counters[i] for i in layout.pair_pulses]), matrix.T.ravel(), flat_text,
        np.tile(np.arange(n_rows), n_columns), _extras(table, layout, lambda cells: np.tile(cells, n_columns)),
    )  # fmt: skip
    return cells.without(_unread(matrix, texts).T.ravel())


def _repeats(table: Table, layout: Layout, file: str, default_device: str) -> Cells:
    """Several columns that hold reads of the same device after the same pulse, one behind the other."""
    matrix, texts = _matrix(table, layout.values, file)
    n_rows, n_reads = matrix.shape
    codes, names = _devices(table, layout, default_device, file)
    pulse, cycle = pulse_numbers(table, layout, file, codes)
    cells = Cells(
        np.repeat(codes, n_reads), names, None if cycle is None else np.repeat(cycle, n_reads),
        np.repeat(pulse, n_reads), matrix.ravel(),
        {row * n_reads + column: text for (row, column), text in texts.items()},
        np.repeat(np.arange(n_rows), n_reads), _extras(table, layout, lambda cells: np.repeat(cells, n_reads)),
    )  # fmt: skip
    empty = np.isnan(cells.value)
    empty[list(cells.text)] = False
    return cells.without(empty)


def _has_nan(values: NDArray[np.float64]) -> bool:
    return bool(values.size and np.isnan(values.min()))


def _extras(
    table: Table, layout: Layout, spread: Callable[[NDArray[Any]], NDArray[Any]] = lambda cells: cells
) -> dict[str, NDArray[np.generic]]:
    """Further columns, an element a reading, under names that cannot be mistaken for ours."""
    return {
        f"{role.name} (file)" if role.name in _RESERVED else role.name: spread(table.as_is(role.index))
        for role in layout.of("extra")
        if role.name.strip()
    }


def _column_devices(table: Table, roles: list[ColumnRole]) -> list[str]:
    """Header names as device names, without their units where they are still different then."""
    names = [role.name for role in roles]
    if not table.has_header or table.metadata.get("layout") == "wide-by-column":
        return names
    bare = [
        device_in_brackets(role.name)
        or (split_name(role.name)[0] if role.unit and parse_unit(split_name(role.name)[1], role.role) else role.name)
        for role in roles
    ]
    return bare if len(set(bare)) == len(bare) and all(bare) else names


def _refuse_repeats(names: list[str], file: str) -> None:
    """Raise where columns are several reads of each device, `D0_read1, D0_read2`: they are not as many devices."""
    matches = [_READ_NAME.match(name) for name in names]
    owners = {match["device"] for match in matches if match}
    if owners and all(matches) and len(owners) < len(names):
        raise TraceFormatError(
            f"{file}: {names[0]!r}, {names[1]!r}, ... are several reads of one device after each pulse, which a "
            "table of several devices cannot hold. Keep one of them a device, or write a row a read: device,pulse,ohm"
        )


def _cycles_in_names(
    names: list[str], roles: list[ColumnRole], default_device: str
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]] | None:
    """Devices, and the device and cycle of each column, where every column is named after a cycle: `run1`, `A cycle 2`.

    None where one is not, or where columns differ in unit.
    """
    matches = [_CYCLE_NAME.match(name) for name in names]
    if len(names) < 2 or len({role.unit for role in roles}) > 1:
        return None
    keys = []
    for match in matches:
        if match is None:
            return None
        device = match["device"].strip(" _-/.,:#([")
        keys.append((default_device if role_of(device) in VALUES or not device else device, int(match["cycle"])))
    if len(set(keys)) < len(keys):
        return None
    devices = list(dict.fromkeys(device for device, _ in keys))
    return devices, np.array([devices.index(device) for device, _ in keys]), np.array([cycle for _, cycle in keys])


def _unread(matrix: NDArray[np.float64], texts: Mapping[tuple[int, int], str]) -> NDArray[np.bool_]:
    """True after the last cell of each column that holds anything."""
    filled = ~np.isnan(matrix)
    for place in texts:
        filled[place] = True
    later = np.flip(np.logical_or.accumulate(np.flip(filled, axis=0), axis=0), axis=0)
    return np.asarray(~later)


def _matrix(table: Table, roles: list[ColumnRole], file: str) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
    matrix, texts = table.matrix([role.index for role in roles])
    if len(texts) > max(5, 0.01 * matrix.size) or 2 * len(texts) > matrix.size:
        row, column = min(texts)
        only = NumberColumn(matrix.ravel()[: len(texts)], {row + i: texts[row, column] for i in range(len(texts))})
        refuse_much_text(only, roles[column].name, table, file)
    return matrix, texts


def _devices(table: Table, layout: Layout, default: str, file: str) -> tuple[NDArray[np.int64], list[str]]:
    """A code for every row (-1 where the cell is empty) and the names, in order of appearance."""
    import pandas as pd

    roles = layout.of("device")
    if layout.device_by_file:
        return np.zeros(table.n_rows, dtype=np.int64), [default]
    if layout.device_constant or not roles:
        return np.zeros(table.n_rows, dtype=np.int64), [layout.device_constant or table.device or default]
    if len(roles) == 1:
        coded = table.codes(roles[0].index)
        names = coded[1]
        if len(names) > _MANY_DEVICES and _FEWEST_READS * len(names) > table.n_rows:
            raise TraceFormatError(
                f"{file}: column {roles[0].name!r} names {len(names)} devices in {table.n_rows} rows: "
                f"{table.n_rows / len(names):.2g} readings each, which is no trace. If another column is the device, "
                "map it; if every row is one pulse of one device, say --map device='NAME'"
            )
        return coded
    parts = [table.text(role.index) for role in roles]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "/" + part
    joined[np.all([part == "" for part in parts], axis=0)] = None
    codes, found = pd.factorize(joined)
    return np.asarray(codes, dtype=np.int64), [str(name) for name in found]


def _no_device(table: Table, layout: Layout) -> NDArray[np.bool_]:
    """Rows in which no cell says the device."""
    roles = layout.of("device")
    if not roles:
        return np.ones(table.n_rows, dtype=bool)
    return np.asarray(np.all([table.codes(role.index)[0] < 0 for role in roles], axis=0))
