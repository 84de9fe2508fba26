"""An exponential approach to a last level: rise (1 - exp(-t/tau)) + c1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model.drift.shape import DriftNumber, DriftScan, DriftShape

__all__ = ["SATURATING"]


def _closed_form(xp: Any, t: Any, rise: Any, tau: Any, c1: Any) -> Any:
    return c1 - rise * xp.expm1(-(t / tau))  # expm1: 1 - exp loses its digits where t << tau


def _taus(pulses: NDArray[np.int64]) -> NDArray[np.float64]:
    # shorter than three reads it is a step, longer than three traces a straight line: neither tells tau
    return np.geomspace(max(3.0, 3.0 * float(np.median(np.diff(pulses)))), 3.0 * float(pulses[-1]), 160)


SATURATING = DriftShape(
    name="saturating-exponential",
    numbers=(
        DriftNumber("rise", "1"),
        DriftNumber("tau", "pulse"),
        DriftNumber("c1", "1", (-math.inf, math.inf), "norm", "$c_1$"),
    ),
    closed_form=_closed_form,
    offset="c1",
    scan=DriftScan("tau", column="rise", grid=_taus),
)
