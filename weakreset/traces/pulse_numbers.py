"""Pulse numbers and cycles of the rows of a table, however the file counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.columns import ColumnRole
from weakreset.traces.counters import count_applied, count_since_set
from weakreset.traces.layout import Layout
from weakreset.traces.operations import NONE, RESET, SET, operation_codes
from weakreset.traces.readings import refuse_much_text
from weakreset.traces.table import NumberColumn, Table

__all__ = ["cycle_numbers", "number_column", "pulse_numbers"]


def pulse_numbers(
    table: Table, layout: Layout, file: str, devices: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Pulses since SET of every row (NaN where unknown), and its cycle where the file says it.

    Counted by a pulse column, by the pulses applied since the last read, by the rows that say RESET, or by rows.

    Parameters
    ----------
    devices : ndarray of int, shape (n_rows,)
        Device code of every row.
    """
    cycle = cycle_numbers(table, layout, file)
    operations = layout.of("operation")
    codes = operation_codes(table, operations[0].index) if operations else np.zeros(table.n_rows, dtype=np.int8)
    if bursts := layout.of("burst"):
        return count_applied(devices, number_column(table, bursts[0], file).values, codes, cycle)
    if pulses := layout.of("pulse"):
        role = pulses[0]
        numbers = table.counts(role.index)
        if numbers.dtype.kind == "f":
            refuse_much_text(table.numbers(role.index), role.name, table, file)
        return _since_set(devices, numbers, codes, cycle) if np.any(codes == SET) else (numbers, cycle)
    if operations:
        applied = np.where((codes == RESET) | (codes == NONE), 1.0, 0.0)
        return count_applied(devices, applied, codes, cycle)
    return _row_counter(devices, cycle), cycle


def _since_set(
    devices: NDArray[np.int64], numbers: NDArray[Any], codes: NDArray[np.int8], cycle: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    pulses = numbers.astype(np.float64)
    cycles = np.zeros(len(pulses), dtype=np.int64) if cycle is None else cycle.copy()
    order = np.argsort(devices, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(devices[order])) + 1):
        counted, numbered = count_since_set(pulses[members], codes[members])
        pulses[members] = counted
        if cycle is None:
            cycles[members] = numbered
    return pulses, cycles


def number_column(table: Table, role: ColumnRole, file: str) -> NumberColumn:
    """A column of numbers.

    Raises
    ------
    TraceFormatError
        It holds text in more than a few cells.
    """
    column = table.numbers(role.index)
    refuse_much_text(column, role.name, table, file)
    return NumberColumn(column.values, dict(column.text))


def _row_counter(devices: NDArray[np.int64], cycle: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """0, 1, 2, ... within each cycle of each device, bad rows counted."""
    import pandas as pd

    keys = [devices] if cycle is None else [devices, cycle]
    return np.asarray(pd.Series(devices).groupby(keys).cumcount(), dtype=np.float64)


def cycle_numbers(table: Table, layout: Layout, file: str) -> NDArray[np.int64] | None:
    """The cycle column, or None where there is none.

    Raises
    ------
    TraceFormatError
        A cell is not a whole number.
    """
    roles = layout.of("cycle")
    if not roles:
        return None
    values = table.numbers(roles[0].index).values
    bad = np.flatnonzero(~(np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2.0**53)))
    if bad.size:
        row = int(bad[0])
        line = table.line_of(row)
        place = f", line {line}" if line is not None else f", row {row}"
        raise TraceFormatError(
            f"{file}{place}, column {roles[0].name!r}: the cycle is {table.text(roles[0].index)[row]!r}, not a whole "
            f"number. Mend the file, or leave the column out with --map ignore={roles[0].index}"
        )
    return values.astype(np.int64)
