"""How files count pulses and cycles: by a counter that may restart, by bursts, by rows that say RESET, or by rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.column_names import FRESH
from weakreset.traces.contract import NumberColumn, Table
from weakreset.traces.doubts import UnclearLayout
from weakreset.traces.layout import Layout
from weakreset.traces.roles import ColumnRole
from weakreset.traces.trace import Reason
from weakreset.traces.vocabulary import OPERATIONS, normalise

__all__ = ["CounterPath", "cycle_numbers", "follow_counter", "number_column", "pulse_numbers", "refuse_much_text"]

_NONE, _SET, _RESET, _READ = range(4)
_CODES = {"SET": _SET, "RESET": _RESET, "READ": _READ}
_MOST_OUT_OF_ORDER = 0.2  # a column with more is no counter
_THOUSANDS = re.compile(r"^[1-9]\d{0,2}(?:,\d{3})+$|^[1-9]\d{0,2}(?:\.\d{3})+$")
_WORDED = re.compile(
    r"(?P<before>(?:after|reset|weak reset|wr|n|no\.?|nr\.?|#|p|pulse|pulses|pulse no\.?)?)[\s_.:#=-]*"
    r"(?P<number>\d{1,15})\s*(?P<after>(?:p|x|(?:reset\s*)?pulses?)?)$", re.IGNORECASE,
)  # no unit: `100 ns` is the width of a pulse
_FEWEST_COUNTED = 9  # numbers one apart, before those that are rounded to one digit
_MOST_OFF = 0.1  # of the reads: between their count and the last, rounded number
_FEW = 5  # cells of text in a column of numbers: a footer, or notes
_FEW_SHARE = 0.01  # the same in a long table


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
    codes = _operation_codes(table, operations[0].index) if operations else np.zeros(table.n_rows, dtype=np.int8)
    if bursts := layout.of("burst"):
        return _count_applied(devices, number_column(table, bursts[0], file).values, codes, cycle)
    if pulses := layout.of("pulse"):
        role = pulses[0]
        numbers = table.counts(role.index)
        if "simulated" not in table.metadata:  # `write_csv_long` says it, and its pulses are pulses
            _refuse_row_numbers(numbers, devices, role.name, file)
            _refuse_rounded(numbers, devices, role.name, file)
        if numbers.dtype.kind == "f":
            column = _without_words(_without_thousands(table.numbers(role.index)))
            refuse_much_text(column, role.name, table, file)
            numbers = column.values
        return _since_set(devices, numbers, codes, cycle) if np.any(codes == _SET) else (numbers, cycle)
    if operations:
        applied = np.where((codes == _RESET) | (codes == _NONE), 1.0, 0.0)
        return _count_applied(devices, applied, codes, cycle)
    return _row_counter(devices, cycle), cycle


def _without_thousands(column: NumberColumn) -> NumberColumn:
    """Pulse numbers such as `1,000` as whole numbers: a counter has no decimals."""
    if not column.text or not all(map(_THOUSANDS.match, column.text.values())):
        return column
    values = column.values.copy()
    for row, text in column.text.items():
        values[row] = int(text.replace(",", "").replace(".", ""))
    return NumberColumn(values)


def _without_words(column: NumberColumn) -> NumberColumn:
    """Pulse numbers such as `P12`, `RESET 12`, `12 pulses` as numbers, where all cells have the same words around.

    `fresh` and its like are pulse 0.
    """
    fresh = {row: 0.0 for row, text in column.text.items() if normalise(text) in FRESH}
    if fresh:
        values = column.values.copy()
        values[list(fresh)] = 0.0
        return _without_words(NumberColumn(values, {r: t for r, t in column.text.items() if r not in fresh}))
    matches = [_WORDED.match(text.strip()) for text in column.text.values()]
    words = {(match["before"], match["after"]) if match else None for match in matches}
    if len(words) != 1 or None in words or 2 * len(matches) <= len(column.values):
        return column
    values = column.values.copy()
    for row, match in zip(column.text, matches, strict=True):
        values[row] = int(match["number"]) if match else np.nan
    return NumberColumn(values)


def _refuse_row_numbers(numbers: NDArray[Any], devices: NDArray[np.int64], name: str, file: str) -> None:
    """Raise where a column rises by one in every row, through several devices: it numbers the rows of the file."""
    n_rows = len(numbers)
    if n_rows < 2 or numbers[-1] - numbers[0] != n_rows - 1 or np.all(devices == devices[0]):
        return
    if np.all(np.diff(numbers) == 1):
        raise UnclearLayout(
            f"{file}: column {name!r} rises by one from row to row through all devices, so it numbers the rows of the "
            "file and not the pulses of a device"
        )


def _refuse_rounded(numbers: NDArray[Any], devices: NDArray[np.int64], name: str, file: str) -> None:
    """Raise where the numbers of the first device are one a read up to ten, a hundred, ... and then tens of reads have
    one number: `1.1e+02`, written with too few digits."""
    first = numbers[: int(np.argmax(devices != devices[0])) or len(numbers)] if len(numbers) else numbers
    still = np.flatnonzero(np.diff(first) == 0)
    if not still.size or still[0] < _FEWEST_COUNTED or abs(first[-1] - len(first)) > _MOST_OFF * len(first):
        return
    single, rest = first[: still[0]], first[still[0] :]
    if np.all(np.diff(single) == 1) and np.all(np.diff(rest) >= 0) and np.all(rest % 10 == 0):
        raise UnclearLayout(
            f"{file}: the numbers in column {name!r} are rounded: from {rest[0]:g} on several reads have one number, "
            f"and yet {len(first)} reads end at {first[-1]:g}. Write them with all digits"
        )


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
        raise TraceFormatError(
            f"{file}, {table.place_of(row)}, column {roles[0].name!r}: the cycle is "
            f"{table.text(roles[0].index)[row]!r}, not a whole number. Mend that line, or take it out"
        )
    return values.astype(np.int64)


def number_column(table: Table, role: ColumnRole, file: str) -> NumberColumn:
    """A column of numbers.

    Raises
    ------
    TraceFormatError
        It holds text in more than a few cells.
    """
    column = table.numbers(role.index)
    refuse_much_text(column, role.name, table, file)
    return column


def refuse_much_text(column: NumberColumn, name: str, table: Table, file: str) -> None:
    """Raise where a column of numbers holds text in more than a few cells (5, and 1 % of them)."""
    n_text, n_cells = len(column.text), len(column.values)
    if n_text > max(_FEW, _FEW_SHARE * n_cells) or 2 * n_text > n_cells:
        row = min(column.text)
        if column.text[row].rstrip().endswith("%"):
            raise TraceFormatError(
                f"{file}, {table.place_of(row)}, column {name!r}: {column.text[row][:60]!r} is a share of a resistance "
                "that the file does not hold. Write the resistances themselves: the share times that resistance"
            )
        raise TraceFormatError(
            f"{file}, {table.place_of(row)}, column {name!r}: {column.text[row][:60]!r} where a number should be "
            f"({n_text} such cells of {n_cells}). If this is another kind of column, say so with --map; if the "
            "decimals are commas, separate columns by ';' or tabs"
        )


def _operation_codes(table: Table, index: int) -> NDArray[np.int8]:
    """SET, RESET or READ of every row; NONE where the cell is empty."""
    codes, names = table.codes(index)
    lookup = np.array([*(_CODES[OPERATIONS[normalise(name)]] for name in names), _NONE], dtype=np.int8)
    return lookup[codes]


def _row_counter(devices: NDArray[np.int64], cycle: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """0, 1, 2, ... within each cycle of each device, bad rows counted."""
    import pandas as pd

    keys = [devices] if cycle is None else [devices, cycle]
    return np.asarray(pd.Series(devices).groupby(keys).cumcount(), dtype=np.float64)


def _count_applied(
    device: NDArray[Any], applied: NDArray[np.float64], operation: NDArray[np.int8], cycle: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    """Pulses since SET and cycle of every reading, from the pulses applied before each.

    Parameters
    ----------
    device : ndarray of int, shape (n,)
        Codes; readings of one device need not be neighbours.
    applied : ndarray of float, shape (n,)
        A count that is not a whole number from 0 up leaves the rest of its cycle without pulse numbers (NaN).
    operation : ndarray of int8, shape (n,)
        A SET begins a new cycle, and the read in its row is pulse 0 of it.
    cycle : ndarray of int, shape (n,), optional
        As the file gives it; a change restarts the count.

    Returns
    -------
    pulses : ndarray of float, shape (n,)
    cycle : ndarray of int, shape (n,), or None
        None where the file says nothing of cycles.
    """
    order = np.argsort(device, kind="stable")
    if cycle is not None:
        order = np.lexsort((np.arange(len(device)), cycle, device))
    codes, is_set = device[order], operation[order] == _SET
    first = np.diff(codes, prepend=codes[:1] - 1) != 0
    begins = first | is_set
    if cycle is not None:
        begins |= np.diff(cycle[order], prepend=0) != 0
    counts = np.where(is_set, 0.0, applied[order])
    wrong = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
    pulses = np.empty(len(device))
    counted = _sums_by_segment(np.where(wrong, 0.0, counts), begins)
    pulses[order] = np.where(_sums_by_segment(wrong.astype(np.float64), begins) > 0, np.nan, counted)
    if cycle is not None or not is_set.any():
        return pulses, cycle
    numbers = np.empty(len(device), dtype=np.int64)
    numbers[order] = _sums_by_segment((is_set & ~first).astype(np.float64), first).astype(np.int64)
    return pulses, numbers


def _sums_by_segment(values: NDArray[np.float64], begins: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Running sums that start again where `begins` is True (whole numbers below 2**53: exact)."""
    total = np.cumsum(values)
    starts = np.flatnonzero(begins)
    base = total[starts] - values[starts]
    return np.asarray(total - np.repeat(base, np.diff(starts, append=len(values))))


def _since_set(
    devices: NDArray[np.int64], numbers: NDArray[Any], codes: NDArray[np.int8], cycle: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    pulses = numbers.astype(np.float64)
    cycles = np.zeros(len(pulses), dtype=np.int64) if cycle is None else cycle.copy()
    order = np.argsort(devices, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(devices[order])) + 1):
        counted, numbered = _count_since_set(pulses[members], codes[members])
        pulses[members] = counted
        if cycle is None:
            cycles[members] = numbered
    return pulses, cycles


def _count_since_set(
    pulses: NDArray[np.float64], operation: NDArray[np.int8]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Pulse numbers since SET, and cycles, of one device whose counter may run on through its SETs.

    The read in a row that says SET is pulse 0 of the new cycle. Where the next number is larger than the one at the
    SET (or, if that row has none, than the last before it), the counter ran on, and that number is subtracted.
    """
    counted = pulses.copy()
    cycle = np.zeros(len(pulses), dtype=np.int64)
    starts = np.flatnonzero(operation == _SET)
    for begin, end in zip(starts, [*starts[1:], len(pulses)], strict=True):
        before = pulses[:begin][np.isfinite(pulses[:begin])]
        known = float(before[-1]) if before.size else 0.0
        base = pulses[begin] if np.isfinite(pulses[begin]) else known
        later = pulses[begin + 1 : end]
        numbers = later[np.isfinite(later)]
        ran_on = numbers.size and numbers[0] > base > 0
        counted[begin + 1 : end] = later - (base if ran_on else 0.0)
        counted[begin] = 0.0
        cycle[begin:] += 1
    if starts.size and starts[0] == 0:
        cycle -= 1
    return counted, cycle


@dataclass(frozen=True, eq=False)
class CounterPath:
    """Cycle of every reading, the `Reason` it is out of order (GOOD if it is not), and why the device is refused."""

    cycle: NDArray[np.int64]
    reason: NDArray[np.int8]
    refused: str = ""


def follow_counter(pulses: NDArray[np.int64], cycle: NDArray[np.int64] | None = None) -> CounterPath:
    """Follow the pulse counter of one device through its readings in file order.

    Without `cycle`, a fall to pulse 0 or 1, or to where the ramp began or below, is a restart: a new cycle. A number
    that does not move (two reads without a pulse between) is a REPEAT, one that comes back later a DUPLICATE: the
    first reading is kept. Any other fall is a counter that went back: the readings up to the number already reached
    are left out; more than 20 % of them refuse the device.

    Parameters
    ----------
    pulses : ndarray of int, shape (n,)
    cycle : ndarray of int, shape (n,), optional
        As the file gives it; sorted.

    Returns
    -------
    CounterPath
    """
    if cycle is None and (len(pulses) < 2 or np.all(pulses[1:] > pulses[:-1])):
        return CounterPath(np.zeros(len(pulses), dtype=np.int64), np.zeros(len(pulses), dtype=np.int8))
    if cycle is None:
        cycle = np.cumsum(_restarts(pulses))
    reason = np.zeros(len(pulses), dtype=np.int8)
    back = 0
    starts = np.flatnonzero(np.diff(cycle, prepend=cycle[0] - 1)) if len(cycle) else cycle
    for begin, end in zip(starts, [*starts[1:], len(pulses)], strict=False):
        part = pulses[begin:end]
        reason[begin:end] = _out_of_order(part)
        back += int(np.count_nonzero(np.diff(part) < 0))
    out = int(np.count_nonzero(reason))
    if back and out > _MOST_OUT_OF_ORDER * len(pulses):
        words = f"pulse counter is not monotone: {out} of {len(pulses)} reads are out of order"
        return CounterPath(cycle, reason, words)
    return CounterPath(cycle, reason)


def _out_of_order(part: NDArray[np.int64]) -> NDArray[np.int8]:
    """Reasons within one cycle."""
    reason = np.zeros(len(part), dtype=np.int8)
    reached = np.maximum.accumulate(part)
    late = part <= np.concatenate([[-1], reached[:-1]])
    if not late.any():
        return reason
    seen = np.isin(part, part[~late])
    still = np.concatenate([[False], part[1:] == part[:-1]]) & (part == reached)
    reason[late] = Reason.BACKWARDS
    reason[late & seen] = Reason.DUPLICATE
    reason[late & still] = Reason.REPEAT
    return reason


def _restarts(pulses: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 where a new cycle begins, else 0; looks only at the falls."""
    mark = np.zeros(len(pulses), dtype=np.int64)
    start = int(pulses[0])
    for i in np.flatnonzero(np.diff(pulses) < 0) + 1:
        if pulses[i] <= max(start, 1):
            mark[i] = 1
            start = int(pulses[i])
    return mark
