"""A round knee: the slope falls from m1 to m2 over a range of pulses about t_star, not at once.

    ln(R/R0) = c1 + m1 s + m2 (t - s),   s = t (1 + (t/t_star)^(1/width))^(-width)

s follows t well before the knee and stays at t_star well after it: the asymptotes are the two lines of `two_slope.py`
and meet at t_star. width -> 0 is the sharp knee; at width 0.5 the slope falls over about a decade of pulses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model.drift.shape import DriftNumber, DriftScan, DriftShape
from weakreset.model.drift.single_slope import SINGLE_SLOPE, line, moves
from weakreset.model.drift.two_slope import knees

__all__ = ["SMOOTH_KNEE"]

_CANDIDATES = 320
_FURTHEST = 4.0
_LEAST_BEND = 0.02


def _closed_form(xp: Any, t: Any, m1: Any, t_star: Any, c1: Any, m2: Any, width: Any) -> Any:
    # symmetric in t and t_star; written with the smaller over the larger, whose power cannot overflow
    near, far = xp.minimum(t, t_star), xp.maximum(t, t_star)
    # s = near (1 + (near/far)^(1/width))^(-width)
    before = near * xp.exp(-width * xp.log1p(xp.power(near / far, 1.0 / width)))
    # m1 times s itself: t less what lies after the knee would lose s in the digits of t far beyond it
    return c1 + m1 * before + m2 * (t - before)


def _round_knees(pulses: NDArray[np.int64], width: float) -> NDArray[np.float64]:
    """Knees in steps of a few percent, to beyond the trace: it bends long before a knee that is round.

    Up to where s falls short of t by 2 %, about width (t/t_star)^(1/width). Without those beyond the trace, devices
    that bend towards them count as straight lines, and the width of the others comes out too small.
    """
    furthest = min(_FURTHEST, max(1.0, (width / _LEAST_BEND) ** width))
    return np.geomspace(knees(pulses)[0], furthest * float(pulses[-1]), _CANDIDATES)


SMOOTH_KNEE = DriftShape(
    name="smooth-knee",
    numbers=(
        DriftNumber("m1", "1/pulse", family="expon", symbol="$m_1$"),
        DriftNumber("t_star", "pulse", symbol="$t^*$"),
        DriftNumber("c1", "1", (-math.inf, math.inf), "norm", "$c_1$"),
        DriftNumber("m2", "1/pulse", family="expon", symbol="$m_2$"),
        DriftNumber("width", "1"),
    ),
    closed_form=_closed_form,
    offset="c1",
    scan=DriftScan(
        number="t_star",
        column="m2",  # its derivative t - s is a ramp with a round start
        grid=_round_knees,
        base=line,
        transform=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 1.0, 1.0)),
        sign=-1,
        knee=True,
        beyond=("c1", "m1"),
        nonnegative="m2",
        without=SINGLE_SLOPE,
        shared={"width": (0.08, 2.0)},  # per device it cannot be told from t_star
    ),
    trend="m1",
    words=lambda typical: (
        f"{moves(typical['m1'])} a pulse at first and by {100 * abs(typical['m2']):.4f} % at last, "
        f"with a round knee at pulse {typical['t_star']:.0f}"
    ),
)
