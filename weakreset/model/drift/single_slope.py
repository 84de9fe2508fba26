"""One straight line: m1 t + c1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model.drift.shape import DriftNumber, DriftScan, DriftShape

__all__ = ["SINGLE_SLOPE", "line", "moves"]

Array = NDArray[np.float64]


def _closed_form(xp: Any, t: Any, m1: Any, c1: Any) -> Any:
    return c1 + m1 * t  # c1: what the first pulse does beyond the slope


def line(t: Array) -> Array:
    """Columns of a straight line."""
    return np.column_stack([np.ones_like(t), t])


def moves(slope: float, digits: int = 3) -> str:
    """A slope of ln R in words."""
    return f"{'falls' if slope < 0 else 'climbs'} by {100 * abs(slope):.{digits}f} %"


SINGLE_SLOPE = DriftShape(
    name="single-slope",
    numbers=(
        DriftNumber("m1", "1/pulse", family="expon", symbol="$m_1$"),
        DriftNumber("c1", "1", (-math.inf, math.inf), "norm", "$c_1$"),
    ),
    closed_form=_closed_form,
    offset="c1",
    scan=DriftScan(base=line),
    trend="m1",
    words=lambda typical: f"{moves(typical['m1'])} a pulse",
)
