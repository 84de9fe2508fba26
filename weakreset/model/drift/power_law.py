"""A power of the number of pulses: a t^b + c1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weakreset.model.drift.shape import DriftNumber, DriftScan, DriftShape

__all__ = ["POWER_LAW"]


def _closed_form(xp: Any, t: Any, a: Any, b: Any, c1: Any) -> Any:
    return c1 + a * xp.power(t, b)  # b < 1: ever slower, without a knee; b = 1: one straight line


POWER_LAW = DriftShape(
    name="power-law",
    numbers=(
        DriftNumber("a", "1"),
        DriftNumber("b", "1"),
        DriftNumber("c1", "1", (-math.inf, math.inf), "norm", "$c_1$"),
    ),
    closed_form=_closed_form,
    offset="c1",
    # given b, ln(R/R0) is linear in a and c1: least squares for each b, no start values
    scan=DriftScan("b", column="a", grid=lambda pulses: np.geomspace(0.05, 3.0, 160)),
)
