"""What one column of a file is taken for."""

from __future__ import annotations

from dataclasses import dataclass

from weakreset.traces.units import Unit

__all__ = ["GIVEN", "VALUES", "ColumnRole", "number_or_none"]

GIVEN = "given by --map"
VALUES = ("resistance", "conductance", "current")


@dataclass(frozen=True)
class ColumnRole:
    """What one column of a file is taken for: role (one of `ROLES`, or `extra`), unit, how sure (0 to 1), and why."""

    index: int
    name: str
    role: str
    confidence: float
    reason: str
    unit: Unit | None = None


def number_or_none(text: str) -> float | None:
    """The finite number that a cell holds, its decimal sign a point or a comma."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
