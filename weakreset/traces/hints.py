"""What to tell a user whose columns are not understood: how they look, and a map to start from."""

from __future__ import annotations

import math

from weakreset.traces.table import Table

__all__ = ["hint", "is_number", "number_or_none", "warn_negative"]


def warn_negative(table: Table) -> str:
    """A warning where a column is mostly negative: no map can make resistances of normalised values."""
    for i, name in enumerate(table.names[:8]):
        values = [number_or_none(row[i]) for row in table.sample if i < len(row)]
        negative = [value for value in values if value is not None and value < 0]
        if 2 * len(negative) > len(values):
            return (
                f"and {name} is mostly negative (such as {negative[0]:g}), so ln R is undefined there: values that are "
                "normalised or offset must first be converted back to ohm or siemens; "
            )
    return ""


def hint(table: Table) -> str:
    """A map to start from, and what the columns look like."""
    shown = []
    for i, name in enumerate(table.names[:8]):
        cell = next((row[i] for row in table.sample if i < len(row) and row[i].strip()), "empty")
        shown.append(f"{i}{f' {name!r}' if table.has_header else ''} = {cell[:24]}")
    example = "resistance=0,pulse=@row" if len(table.names) == 1 else "device=0,pulse=1,resistance=2"
    if len(table.names) == 2:
        example = "pulse=0,resistance=1"
    if len(table.names) > 50:
        example = "device=0,resistance=1:"
    more = ", ..." if len(table.names) > 8 else ""
    return f"columns: {', '.join(shown)}{more}. Say which is which, for example --map {example}"


def number_or_none(text: str) -> float | None:
    """The finite number that a cell holds, its decimal sign a point or a comma."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def is_number(cell: str) -> bool:
    """Whether a cell holds a finite number."""
    return number_or_none(cell) is not None
