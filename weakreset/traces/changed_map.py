"""What a click on a column amounts to: the `--map` line with one column taken for something else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from weakreset.errors import UsageError
from weakreset.traces.column_map import ROLES
from weakreset.traces.column_role import VALUES, ColumnRole
from weakreset.traces.layout import Layout, runs_of
from weakreset.traces.units import parse_unit

__all__ = ["changed_map"]

_SEVERAL = ("device", "ignore", *VALUES)


def changed_map(layout: Layout, columns: Collection[int], role: str, unit: str = "") -> str:
    """The map that reads a table as `layout` does, but for these columns.

    A role that only one column can have leaves the column that had it, and so does a reading where one column had it
    alone: a click puts a guess right. Device columns add up to a name of several parts. Columns that were given up
    are ignored, or the header would have them guessed again.

    Parameters
    ----------
    layout : Layout
    columns : collection of int
        Indices, 0-based.
    role : str
        One of `ROLES`.
    unit : str
        Of the readings or the read voltage; '' leaves it to the header.

    Returns
    -------
    str
        As `parse_map` takes it.

    Raises
    ------
    UsageError
        No such role, or a unit of something else.
    """
    if role not in ROLES:
        raise UsageError(f"{role!r} is not a role of a column; roles are {', '.join(ROLES)}")
    parsed = parse_unit(unit, role) if unit else None
    if unit and (parsed is None or parsed.quantity != role):
        raise UsageError(f"{unit!r} is no unit of {role} that is known here; kohm, uS, nA and mV are such units")
    chosen = set(columns)
    changed = tuple(
        replace(column, role=role, unit=parsed) if column.index in chosen else _yielding(column, layout, chosen, role)
        for column in layout.columns
    )
    counted = role in ("pulse", "burst", "operation")
    ignored = [column.index for column in changed if column.role == "ignore"]
    line = replace(layout, columns=changed, row_counter=layout.row_counter and not counted, kind=_kind(layout)).map_line
    parts = [line.removeprefix("--map "), f"ignore={runs_of(ignored)}" if ignored else ""]
    return ",".join(part for part in parts if part)


def _kind(layout: Layout) -> str:
    """Pairs have no map; changed by hand they are a table like others."""
    return "long" if layout.kind == "pairs" else layout.kind


def _yielding(column: ColumnRole, layout: Layout, chosen: Collection[int], role: str) -> ColumnRole:
    """What another column is taken for after the change."""
    same = column.role == role
    other_quantity = role in VALUES and column.role in VALUES and not same
    alone = role in VALUES and len(layout.values) == 1 and layout.values[0].index not in chosen
    if other_quantity or (same and (role not in _SEVERAL or alone)):
        return replace(column, role="ignore", unit=None)
    return column
