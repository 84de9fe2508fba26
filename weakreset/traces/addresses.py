"""Step 3a: which columns say the device: one, or several that address it together (die and cell, x and y)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from weakreset.traces.column_names import is_side_name
from weakreset.traces.column_role import GIVEN, ColumnRole, number_or_none
from weakreset.traces.contract import Table
from weakreset.traces.doubts import UnclearLayout
from weakreset.traces.vocabulary import ADDRESS_WORDS, coordinate_of, is_pulse_setting, normalise

__all__ = ["refuse_unnamed_devices", "settle_devices"]

_DEVICE_NAMES = ("device", "device id", "device name", "dut", "dev", "cell", "cell id", "addr", "address")
_PART = "part of the address of the device"
_LEAST_ROWS = 2  # reads a device: with fewer the second column is no part of an address but a counter


def settle_devices(roles: list[ColumnRole], table: Table) -> list[ColumnRole]:
    """One column is the device, with the columns that tell devices of one name apart; or an address of columns alone.

    `D1` of die 1 and `D1` of die 2 are two devices. A column that numbers the rows is no device and no address.
    """
    devices = [role for role in roles if role.role == "device"]
    if any(role.reason == GIVEN for role in devices):
        return roles
    places = _addresses(roles, table)
    if not devices:
        return [_as_part(role) if role in places else role for role in roles]
    counted = any(role.role in ("pulse", "burst", "operation") for role in roles)
    usable = [role for role in devices if not (counted and _numbers_rows(table, role.index))]
    if not usable:
        dropped = {role.index for role in devices}
        roles = [
            replace(role, role="extra", reason="it numbers the rows") if role.index in dropped else role
            for role in roles
        ]
        return [_as_part(role) if role in places else role for role in roles]
    top = max(usable, key=lambda role: (role.confidence, -_rank(role.name)))
    others = [role for role in (*places, *usable) if role is not top and not _follows_cycle(role, roles, table)]
    parts = _that_tell_apart(top, others, table)
    reason = f"{top.name!r} is taken for the device"
    return [
        _as_part(role) if role in parts
        else replace(role, role="extra", reason=reason) if role.role == "device" and role is not top
        else role
        for role in roles
    ]  # fmt: skip


def refuse_unnamed_devices(columns: Sequence[ColumnRole], table: Table, file: str) -> None:
    """Refuse to take ramps for cycles of one device where a column of an unknown name differs from ramp to ramp.

    Raises
    ------
    UnclearLayout
        Naming the column: it may hold the devices.
    """
    pulse = next((role for role in columns if role.role == "pulse"), None)
    told = any(role.role in ("device", "cycle", "operation", "burst") for role in columns)
    unknown = [role for role in columns if role.role == "extra" and not _is_circumstance(role.name)]
    if pulse is None or told or not unknown:
        return
    starts = np.flatnonzero(np.diff(table.numbers(pulse.index).values) < 0) + 1
    if not starts.size:
        return
    for role in unknown:
        codes = np.asarray(table.codes(role.index)[0])
        changes = np.flatnonzero(np.diff(codes)) + 1
        apart = np.array_equal(changes, starts) and len(np.unique(codes)) == len(starts) + 1
        if apart and codes.min() >= 0:
            raise UnclearLayout(
                f"{file}: column {role.name!r} changes wherever the pulses of {pulse.name!r} start again "
                f"({_shown(table, role.index, 0)}, {_shown(table, role.index, starts[0])}, ...), so it may name the "
                "devices, or only the cycles of one",
                role.index,
            )


def _shown(table: Table, index: int, row: int) -> str:
    return repr(str(table.text(index)[row])[:40])


def _is_circumstance(name: str) -> bool:
    return not name.strip() or is_side_name(name) or is_pulse_setting(name)


def _as_part(role: ColumnRole) -> ColumnRole:
    return replace(role, role="device", confidence=0.7, reason=_PART)


def _addresses(roles: Sequence[ColumnRole], table: Table) -> list[ColumnRole]:
    """Columns whose names say a place: a word for it, or two coordinates of whole numbers."""
    names = {normalise(role.name): role for role in roles if role.role in ("extra", "ignore", "device")}
    found = [role for name, role in names.items() if name in ADDRESS_WORDS and role.role == "extra"]
    places = {axis: [role for role in names.values() if coordinate_of(role.name) == axis] for axis in ("x", "y")}
    both = [*places["x"], *places["y"]]
    if all(places.values()) and all(_is_whole(table, role.index) for role in both):
        found += [role for role in both if role not in found]
    return [role for role in found if not _numbers_rows(table, role.index)]


def _that_tell_apart(top: ColumnRole, others: Sequence[ColumnRole], table: Table) -> list[ColumnRole]:
    """Those of the columns that differ among rows of one device, without giving every row a device of its own."""
    parts: list[ColumnRole] = []
    if not others or not table.n_rows:
        return parts
    codes = np.asarray(table.codes(top.index)[0])
    n_devices = len(np.unique(codes))
    for role in others:
        more = np.asarray(table.codes(role.index)[0])
        if 2 * np.count_nonzero(more < 0) > len(more):
            continue  # mostly empty: a small table beside this one
        joined = np.unique(np.stack([codes, more]), axis=1, return_inverse=True)[1].ravel()
        n_joined = int(joined.max()) + 1
        if n_devices < n_joined <= table.n_rows / _LEAST_ROWS:
            parts.append(role)
            codes, n_devices = joined, n_joined
    return parts


def _follows_cycle(role: ColumnRole, roles: Sequence[ColumnRole], table: Table) -> bool:
    """Whether a column only says the cycle once more, as the blocks of a workbook of runs do."""
    cycle = next((other for other in roles if other.role == "cycle"), None)
    if cycle is None:
        return False
    codes = np.stack([np.asarray(table.codes(i)[0]) for i in (cycle.index, role.index)])
    return len(np.unique(codes, axis=1).T) == len(np.unique(codes[0]))


def _numbers_rows(table: Table, index: int) -> bool:
    """Whether every row has another whole number here."""
    first = [number_or_none(row[index]) for row in table.sample if index < len(row)]
    if any(b is None or a is None or b != a + 1 for a, b in pairwise(first)):  # most are told by their first rows
        return False
    if table.n_rows <= _LEAST_ROWS or not _is_whole(table, index):
        return False
    values = table.numbers(index).values
    return bool(np.all(np.diff(values) == 1))


def _is_whole(table: Table, index: int) -> bool:
    values = table.numbers(index).values
    return bool(values.size and np.all(np.isfinite(values)) and np.all(values == np.floor(values)))


def _rank(name: str) -> int:
    key = normalise(name)
    return _DEVICE_NAMES.index(key) if key in _DEVICE_NAMES else len(_DEVICE_NAMES)
