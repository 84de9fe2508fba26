"""Rows of text between a header and its numbers: units, and names of devices (`Long Name`, `Units`, `Comments`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from weakreset.traces.column_names import device_in_brackets
from weakreset.traces.readers.stated_units import find_units_row
from weakreset.traces.units import parse_unit

__all__ = ["read_below_header"]

_MOST_ROWS = 3


def read_below_header(
    header: Sequence[str], data: Sequence[Sequence[str]]
) -> tuple[list[str], list[str] | None, int]:
    """The header with names of devices from the rows below it, the row of units (None: there is none), rows taken."""
    names, units, taken = list(header), None, 0
    for _ in range(_MOST_ROWS):
        if len(data) < taken + 2:
            break
        row = find_units_row(data[taken], data[taken + 1 :])
        if row is None:
            break
        if (named := _with_devices(names, row)) is not None:
            names = named
        elif units is None:
            units = row
        else:
            break
        taken += 1
    return names, units, taken


def _with_devices(header: Sequence[str], row: Sequence[str]) -> list[str] | None:
    """`R, R, R` over `D1, D2, D3` as `R (D1), R (D2), R (D3)`; None where the row does not tell alike columns apart."""
    name, count = Counter(filter(None, header)).most_common(1)[0] if any(header) else ("", 0)
    alike = [i for i, cell in enumerate(header) if cell == name]
    labels = [row[i] if i < len(row) else "" for i in alike]
    if count < 2 or not all(labels) or len(set(labels)) < count or any(map(parse_unit, labels)):
        return None
    found = list(header)
    for i, label in zip(alike, labels, strict=True):
        joined = f"{name} ({label})"
        found[i] = joined if device_in_brackets(joined) else label
    return found
