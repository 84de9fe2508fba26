"""Collect the readings of a table, whatever its layout, into one flat list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.columns import ColumnRole
from weakreset.traces.layout import VALUES, Layout
from weakreset.traces.pulse_numbers import cycle_numbers, number_column, pulse_numbers
from weakreset.traces.readings import Readings, Reason, extra_name, refuse_much_text
from weakreset.traces.table import NumberColumn, Table
from weakreset.traces.units import parse_unit, split_name

__all__ = ["gather"]


def gather(table: Table, layout: Layout, file: str, default_device: str, voltage_v: float | None) -> Readings:
    """Readings of `table` in ohm; cells that hold none carry a reason.

    Trailing empty cells of a wide table (traces of different lengths) are not readings.
    """
    build: Callable[..., Readings] = {
        "long": _gather_long,
        "wide-by-column": _gather_by_column,
        "wide-by-row": _gather_by_row,
    }[layout.kind]
    readings = build(table, layout, file, default_device)
    _to_ohm(readings, table, layout, file, voltage_v)
    return readings


def _gather_long(table: Table, layout: Layout, file: str, default_device: str) -> Readings:
    value = number_column(table, layout.of(*VALUES)[0], file)
    codes, names = _devices(table, layout, default_device)
    pulse, cycle = pulse_numbers(table, layout, file, codes)
    readings = _new(codes, names, cycle, pulse, value.values, None, value.text)
    readings.extras = {
        extra_name(role.name): table.as_is(role.index) for role in layout.of("extra") if role.name.strip()
    }
    if not readings.reason.any():
        return readings
    blank = np.isnan(value.values) & np.isnan(pulse) & ~_has_text(table.n_rows, value.text)
    return readings.without(blank & _empty_device(table, layout) if blank.any() else blank)


def _gather_by_column(table: Table, layout: Layout, file: str, default_device: str) -> Readings:
    roles = layout.of(*VALUES)
    matrix, texts = _matrix(table, roles, file)
    n_rows, n_columns = matrix.shape
    pulse, cycle = pulse_numbers(table, layout, file, np.zeros(n_rows, dtype=np.int64))
    names = _column_devices(table, roles)
    codes = np.repeat(np.arange(n_columns), n_rows)
    flat_text = {column * n_rows + row: text for (row, column), text in texts.items()}
    readings = _new(
        codes, names, None if cycle is None else np.tile(cycle, n_columns), np.tile(pulse, n_columns),
        matrix.T.ravel(), np.tile(np.arange(n_rows), n_columns), flat_text,
    )  # fmt: skip
    readings.extras = {
        extra_name(role.name): np.tile(table.as_is(role.index), n_columns)
        for role in layout.of("extra")
        if role.name.strip()
    }
    unread = _unread(matrix, texts).T.ravel()
    if table.metadata.get("empty") == "not read":
        unread |= np.isnan(readings.resistance_ohm) & ~_has_text(len(codes), flat_text)
    return readings.without(unread)


def _column_devices(table: Table, roles: list[ColumnRole]) -> list[str]:
    """Header names as device names, without their units where they are still different then."""
    if not table.has_header or table.metadata.get("layout") == "wide-by-column":
        return [role.name for role in roles]
    bare = [
        split_name(role.name)[0] if role.unit and parse_unit(split_name(role.name)[1], role.role) else role.name
        for role in roles
    ]
    return bare if len(set(bare)) == len(bare) and all(bare) else [role.name for role in roles]


def _gather_by_row(table: Table, layout: Layout, file: str, default_device: str) -> Readings:
    roles = layout.of(*VALUES)
    matrix, texts = _matrix(table, roles, file)
    n_rows, n_reads = matrix.shape
    codes, names = _devices(table, layout, "")
    if not layout.of("device") and not layout.device_constant:
        codes = np.arange(n_rows)
        names = [f"row {row}" for row in range(n_rows)] if n_rows > 1 else [default_device]
    cycle = cycle_numbers(table, layout, file)
    flat_text = {row * n_reads + column: text for (row, column), text in texts.items()}
    readings = _new(
        np.repeat(codes, n_reads), names, None if cycle is None else np.repeat(cycle, n_reads),
        np.tile(np.asarray(layout.column_pulses, dtype=np.float64), n_rows), matrix.ravel(),
        np.repeat(np.arange(n_rows), n_reads), flat_text,
    )  # fmt: skip
    readings.extras = {
        extra_name(role.name): np.repeat(table.as_is(role.index), n_reads)
        for role in layout.of("extra")
        if role.name.strip()
    }
    return readings.without(_unread(matrix.T, {(c, r): t for (r, c), t in texts.items()}).T.ravel())


def _new(
    codes: NDArray[np.int64],
    names: list[str],
    cycle: NDArray[np.int64] | None,
    pulse: NDArray[Any],
    values: NDArray[np.float64],
    rows: NDArray[Any] | None,
    texts: Mapping[int, str],
) -> Readings:
    reason = np.zeros(len(values), dtype=np.int8)
    if values.size and np.isnan(values.min()):
        reason[np.isnan(values)] = Reason.MISSING
    reason[list(texts)] = Reason.TEXT
    if codes.size and codes.min() < 0:
        reason[codes < 0] = Reason.NO_DEVICE
    readings = Readings(codes, names, cycle, pulse, values, rows, reason, dict(texts))
    if pulse.dtype.kind == "f":
        readings.mark(np.isnan(pulse), Reason.NO_PULSE, values)
    return readings


def _has_text(n: int, texts: Mapping[int, str]) -> NDArray[np.bool_]:
    mask = np.zeros(n, dtype=bool)
    mask[list(texts)] = True
    return mask


def _unread(matrix: NDArray[np.float64], texts: dict[tuple[int, int], str]) -> NDArray[np.bool_]:
    """True after the last cell of each column that holds anything."""
    filled = ~np.isnan(matrix)
    for place in texts:
        filled[place] = True
    later = np.flip(np.logical_or.accumulate(np.flip(filled, axis=0), axis=0), axis=0)
    return np.asarray(~later)


def _matrix(table: Table, roles: list[ColumnRole], file: str) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
    matrix, texts = table.matrix([role.index for role in roles])
    if texts:
        row, column = min(texts)
        flat = NumberColumn(matrix.ravel(), {r * len(roles) + c: text for (r, c), text in texts.items()})
        if len(texts) > max(5, 0.01 * matrix.size) or 2 * len(texts) > matrix.size:
            only = NumberColumn(flat.values[: len(texts)], {row + i: texts[row, column] for i in range(len(texts))})
            refuse_much_text(only, roles[column].name, table, file)
    return matrix, texts


def _devices(table: Table, layout: Layout, default: str) -> tuple[NDArray[np.int64], list[str]]:
    """A code for every row (-1 where the cell is empty) and the names, in order of appearance."""
    import pandas as pd

    roles = layout.of("device")
    if layout.device_constant or not roles:
        return np.zeros(table.n_rows, dtype=np.int64), [layout.device_constant or table.device or default]
    if len(roles) == 1:
        return table.codes(roles[0].index)
    parts = [table.text(role.index) for role in roles]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "/" + part
    joined[np.all([part == "" for part in parts], axis=0)] = None
    codes, names = pd.factorize(joined)
    return np.asarray(codes, dtype=np.int64), [str(name) for name in names]


def _empty_device(table: Table, layout: Layout) -> NDArray[np.bool_]:
    roles = layout.of("device")
    if not roles:
        return np.ones(table.n_rows, dtype=bool)
    return np.asarray(np.all([table.codes(role.index)[0] < 0 for role in roles], axis=0))


def _to_ohm(readings: Readings, table: Table, layout: Layout, file: str, voltage_v: float | None) -> None:
    """Replace the values by ohm; keep the cell as it was for those that cannot be a resistance."""
    role = layout.of(*VALUES)[0]
    raw = readings.resistance_ohm
    scale = np.array([r.unit.scale if r.unit else 1.0 for r in layout.of(*VALUES)])
    factor = float(scale[0]) if len(set(scale.tolist())) == 1 else _factor_by_column(readings, layout, scale)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        si = raw if isinstance(factor, float) and factor == 1.0 else raw * factor
        if role.role == "resistance":
            ohm = si
        elif role.role == "conductance":
            ohm = 1.0 / si
        else:
            ohm = _read_voltage(readings, table, layout, file, voltage_v) / si
    readings.resistance_ohm = ohm
    if ohm.size and ohm.min() > 0 and ohm.max() < np.inf:
        return
    readings.mark((raw == 0) | (ohm == 0), Reason.ZERO, raw)
    readings.mark(np.isinf(raw), Reason.INFINITE, raw)
    readings.mark(ohm < 0, Reason.NEGATIVE, raw)
    readings.mark(~np.isfinite(ohm), Reason.OVERFLOW, raw)


def _factor_by_column(readings: Readings, layout: Layout, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    if layout.kind == "wide-by-column":
        return np.asarray(scale[readings.device], dtype=np.float64)
    where = {pulse: i for i, pulse in enumerate(layout.column_pulses)}
    return np.array([scale[where[int(pulse)]] for pulse in readings.pulse])


def _read_voltage(
    readings: Readings, table: Table, layout: Layout, file: str, voltage_v: float | None
) -> NDArray[np.float64] | float:
    roles = layout.of("read_voltage")
    if voltage_v is not None:
        return voltage_v
    if roles:
        unit = roles[0].unit
        column = number_column(table, roles[0], file).values
        column = column if readings.row is None else column[readings.row]
        return np.asarray(column * (unit.scale if unit else 1.0))
    if layout.read_voltage_v is not None:
        return layout.read_voltage_v
    raise TraceFormatError(
        f"{file}: the readings are currents and nothing gives the read voltage; say --map read_voltage='0.1' (volt), "
        "name its column with --map read_voltage=COLUMN, or pass read_voltage_v"
    )
