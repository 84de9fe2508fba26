"""Columns that say how pulses are counted: the operation of each row (SET, RESET, READ), the pulses of a burst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces.columns import ColumnRole
from weakreset.traces.table import Table
from weakreset.traces.vocabulary import OPERATIONS, normalise

__all__ = ["NONE", "READ", "RESET", "SET", "operation_codes", "settle_counting"]

NONE, SET, RESET, READ = range(4)
_CODES = {"SET": SET, "RESET": RESET, "READ": READ}
_GIVEN = "given by --map"
_MOST_WORDS = 40


def settle_counting(roles: Sequence[ColumnRole], table: Table, where: str) -> list[ColumnRole]:
    """One way of counting pulses: a pulse column before bursts before operations; doubtful columns become extras.

    Raises
    ------
    TraceFormatError
        A column mapped to `operation` holds other words than we know.
    UsageError
        Both a pulse and a burst column are mapped.
    """
    settled = [_settle_operation(role, table, where) if role.role == "operation" else role for role in roles]
    settled = _only_first(_only_first(settled, "operation"), "burst")
    bursts = [role for role in settled if role.role == "burst"]
    pulses = [role for role in settled if role.role == "pulse"]
    if not bursts or not pulses:
        return settled
    if bursts[0].reason == _GIVEN and any(role.reason == _GIVEN for role in pulses):
        raise UsageError(f"{where}: --map gives both pulse and burst; pulses are counted by one of them")
    loser, winner = ("pulse", bursts[0]) if bursts[0].reason == _GIVEN else ("burst", pulses[0])
    words = f"pulses are counted by {winner.name!r}"
    return [replace(role, role="extra", reason=words) if role.role == loser else role for role in settled]


def _settle_operation(role: ColumnRole, table: Table, where: str) -> ColumnRole:
    names = table.codes(role.index)[1]
    unknown = [name for name in names if normalise(name) not in OPERATIONS]
    if not unknown and names:
        return replace(role, reason=f"{role.reason}: it says {', '.join(names[:_MOST_WORDS])}")
    words = f"{unknown[0]!r} is not an operation that we know" if unknown else "it is empty"
    if role.reason == _GIVEN:
        known = ", ".join(sorted(OPERATIONS))
        raise TraceFormatError(f"{where}, column {role.name!r}: {words}; it may say {known}")
    return replace(role, role="extra", confidence=0.5, reason=f"{words}; kept as an extra column")


def _only_first(roles: Sequence[ColumnRole], kind: str) -> list[ColumnRole]:
    """Columns of a kind that only one can have: the first, or the mapped one."""
    found = [role for role in roles if role.role == kind]
    if len(found) < 2:
        return list(roles)
    first = min(found, key=lambda role: (role.reason != _GIVEN, role.index))
    words = f"{first.name!r} is taken for the {kind}"
    return [replace(r, role="extra", reason=words) if r.role == kind and r is not first else r for r in roles]


def operation_codes(table: Table, index: int) -> NDArray[np.int8]:
    """SET, RESET or READ of every row; NONE where the cell is empty."""
    codes, names = table.codes(index)
    lookup = np.array([*(_CODES[OPERATIONS[normalise(name)]] for name in names), NONE], dtype=np.int8)
    return lookup[codes]
