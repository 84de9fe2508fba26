"""Whether the rows or the columns of a wide table are the pulses, and which pulse column belongs to which device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from weakreset.traces.column_names import NumberedName, is_side_name, plain_name
from weakreset.traces.column_role import VALUES, ColumnRole, looks_counted
from weakreset.traces.contract import Table
from weakreset.traces.doubts import UnclearLayout
from weakreset.traces.vocabulary import is_pulse_setting, normalise

__all__ = ["Pairs", "find_pairs", "pulse_side", "refuse_counters"]

_ABSCISSA = ("x", "x value", "xvalue", "x axis")  # of a plot: what it counts is not said
_MANY = 30  # fewer reads are no trace to fit


@dataclass(frozen=True)
class Pairs:
    """Columns with their roles, and for each column of readings the index of its pulse column."""

    columns: tuple[ColumnRole, ...]
    pulses: tuple[int, ...]


def find_pairs(roles: Sequence[ColumnRole], table: Table) -> Pairs | None:
    """Pulse columns side by side with the readings they belong to: `pulse, D1, pulse, D2`; None where they do not."""
    if any(role.role in ("device", "burst", "operation") for role in roles):
        return None
    columns = [_named_after_device(role, table) for role in roles]
    pulses = [role.index for role in columns if role.role == "pulse"]
    values = [role.index for role in columns if role.role in VALUES]
    if len(pulses) < 2 or len(pulses) > len(values):
        return None
    before = [max((p for p in pulses if p < value), default=-1) for value in values]
    after = [min((p for p in pulses if p > value), default=-1) for value in values]
    for owners in (before, after):
        if -1 not in owners and set(owners) == set(pulses):
            return Pairs(tuple(columns), tuple(owners))
    return None


def _named_after_device(role: ColumnRole, table: Table) -> ColumnRole:
    """`D00_pulse` is the pulse column of D00."""
    words = normalise(plain_name(role.name, table.name_set)).split()
    ends = role.role in ("extra", "ignore") and len(words) > 1 and words[-1] in ("pulse", "pulses")
    if not ends or is_pulse_setting(role.name) or words[0] in ("v", "t", "i", "set", "read"):
        return role
    return replace(role, role="pulse", confidence=0.6, reason="the name ends in pulse")


def pulse_side(
    names: Sequence[NumberedName | None], distinct: bool, n_rows: int, values: Sequence[ColumnRole]
) -> str:
    """`rows` or `columns`, whichever the names of the columns say to be the pulses; '' where they do not.

    Names that say pulse number the pulses, and so do numbers in steps other than 1 (`0, 5, 10`); names of devices mean
    that rows are pulses. `R1, R2, ...` are devices unless there are more than a device has reads.
    """
    counts = {"name" if item is None else item.counts for item in names}
    if "name" in counts or not distinct:
        return "rows"
    numbers = [item.number for item in names if item is not None]
    stepped = len(numbers) > 2 and max(numbers) - min(numbers) + 1 > 1.5 * len(numbers)
    said = {item.stem.lower() for item in names if item is not None}
    if stepped or (counts == {"pulse"} and not said & {"p", "n"}):
        return "columns"
    first, n_columns = min(numbers), len(numbers)
    if counts <= {"resistance", "conductance", "current"}:
        if n_rows >= _MANY and (n_columns < _MANY or first > 0):
            return "rows"
        return ""
    if first == 0 and n_columns >= _MANY > n_rows:
        return "columns"
    return ""


def refuse_counters(
    columns: Sequence[ColumnRole], values: Sequence[ColumnRole], table: Table, file: str
) -> None:
    """Rows are no pulses where a column counts something else: `Var2` among the devices, an unknown word in steps of 5.

    A column that rises by one from row to row agrees with the rows.

    Raises
    ------
    UnclearLayout
        Naming the column.
    """
    readings = {role.index for role in values}
    for role in columns:
        aside = is_side_name(role.name) and normalise(role.name) not in _ABSCISSA
        if role.index not in readings and (role.role != "extra" or aside):
            continue
        column = table.numbers(role.index)
        numbers = column.values[np.isfinite(column.values)]
        if column.text or not looks_counted(numbers):
            continue
        if role.index in readings or np.any(np.diff(numbers) != 1):
            raise UnclearLayout(
                f"{file}: column {role.name!r} counts something ({numbers[0]:g}, {numbers[1]:g}, {numbers[2]:g}, ...), "
                "and nothing says what; the rows may not be the pulses"
            )
