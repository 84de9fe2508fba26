"""Two straight lines that meet at a knee (Majumdar et al. 2021): m1 t + c1 before t_star, slope m2 after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreset.model.drift.shape import DriftNumber, DriftScan, DriftShape
from weakreset.model.drift.single_slope import SINGLE_SLOPE, line, moves

__all__ = ["TWO_SLOPE", "knees", "two_slope"]

Array = NDArray[np.float64]

_MOST_CANDIDATES = 2500  # in longer traces every second, third ... pulse is tried


def _closed_form(xp: Any, t: Any, m1: Any, t_star: Any, c1: Any, m2: Any) -> Any:
    # the published equation, m2 t + c1 + t_star (m1 - m2) after the knee, without its difference of large numbers
    return c1 + m1 * xp.minimum(t, t_star) + m2 * xp.maximum(t - t_star, 0.0)


def knees(pulses: NDArray[np.int64]) -> Array:
    """Knees that leave at least 20 reads before (8 below 200 reads, 5 below 100) and 6 after; thinned in long ones."""
    n = len(pulses)
    before = 20 if n >= 200 else 8 if n >= 100 else min(5, n // 4)
    inside = pulses[before - 1 : max(n - 6, before)].astype(np.float64)
    return inside[:: 1 + len(inside) // _MOST_CANDIDATES]


TWO_SLOPE = DriftShape(
    name="two-slope",
    numbers=(
        DriftNumber("m1", "1/pulse", family="expon", symbol="$m_1$"),
        DriftNumber("t_star", "pulse", symbol="$t^*$"),
        DriftNumber("c1", "1", (-math.inf, math.inf), "norm", "$c_1$"),
        DriftNumber("m2", "1/pulse", family="expon", symbol="$m_2$"),
    ),
    closed_form=_closed_form,
    offset="c1",
    scan=DriftScan(
        number="t_star",
        column="m2",  # its derivative is a ramp that starts at the knee
        grid=knees,
        base=line,
        transform=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 1.0, 1.0)),  # the ramp's coefficient is m2 - m1
        sign=-1,  # m2 < m1: the slope falls at the knee
        knee=True,
        beyond=("c1", "m1"),  # of a device whose knee lies beyond its trace
        nonnegative="m2",
        without=SINGLE_SLOPE,
    ),
    trend="m1",
    words=lambda typical: (
        f"{moves(typical['m1'])} a pulse up to pulse {typical['t_star']:.0f}, "
        f"and by {100 * abs(typical['m2']):.2g} % a pulse from there on"
    ),
)


def two_slope(t: ArrayLike, m1: ArrayLike, t_star: ArrayLike, c1: ArrayLike, m2: ArrayLike) -> Array:
    """Two straight lines that meet at the knee `t_star` (Majumdar et al. 2021, drift equation).

    Parameters
    ----------
    t : array_like
        RESET pulses since the last SET, >= 1.
    m1, m2 : array_like
        Slope of ln R per pulse before and after the knee.
    t_star : array_like
        The knee, in pulses.
    c1 : array_like
        Offset at the first pulse, extrapolated to t = 0.

    Returns
    -------
    ndarray
        ln(R/R0), shape of the broadcast of all arguments.
    """
    return TWO_SLOPE.value(t, m1, t_star, c1, m2)
