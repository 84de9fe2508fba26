"""What one column of a file is taken for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.contract import plain_number
from weakreset.traces.units import Unit

__all__ = ["GIVEN", "VALUES", "ColumnRole", "looks_counted", "number_or_none"]

GIVEN = "given by --map"
_MOSTLY_RISES = 0.9  # of the steps from row to row: a counter falls where it starts again
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
        number = float(plain_number(text).replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def looks_counted(values: NDArray[np.float64]) -> bool:
    """Whether numbers look like a counter: whole, from 0 up, and rising from row to row in a step or from 0 or 1."""
    if len(values) < 3 or values.min() < 0 or np.any(values != np.floor(values)):
        return False
    steps = np.diff(values)
    regular = values.min() <= 1 or len(np.unique(steps)) <= 2
    return bool(np.mean(steps > 0) > _MOSTLY_RISES and regular)
