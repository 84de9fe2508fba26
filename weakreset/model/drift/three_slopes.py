"""Three straight lines: a second knee at ratio t_star, and between the knees a share of what the slope falls by.

    slope m1 before t_star,   m2 + share (m1 - m2) from there to ratio t_star,   m2 after it

Where the second knee lies and how much of the slope is left before it are shared by all devices.
"""

from __future__ import annotations

import math
from typing import Any

from weakreset.model.drift.shape import DriftNumber, DriftScan, DriftShape
from weakreset.model.drift.single_slope import SINGLE_SLOPE, line, moves
from weakreset.model.drift.two_slope import knees

__all__ = ["THREE_SLOPES"]


def _closed_form(xp: Any, t: Any, m1: Any, t_star: Any, c1: Any, m2: Any, ratio: Any, share: Any) -> Any:
    # pulses at the first slope, those between the knees counting for their share: small numbers beside a large t
    between = xp.minimum(xp.maximum(t - t_star, 0.0), t_star * (ratio - 1.0))
    before = xp.minimum(t, t_star) + share * between
    return c1 + m1 * before + m2 * (t - before)


THREE_SLOPES = DriftShape(
    name="three-slope",
    numbers=(
        DriftNumber("m1", "1/pulse", family="expon", symbol="$m_1$"),
        DriftNumber("t_star", "pulse", symbol="$t^*$"),
        DriftNumber("c1", "1", (-math.inf, math.inf), "norm", "$c_1$"),
        DriftNumber("m2", "1/pulse", family="expon", symbol="$m_2$"),
        DriftNumber("ratio", "1", (1.0, math.inf)),
        DriftNumber("share", "1", (0.0, 1.0)),
    ),
    closed_form=_closed_form,
    offset="c1",
    scan=DriftScan(
        number="t_star",
        column="m2",
        grid=lambda pulses, ratio, share: knees(pulses),
        base=line,
        transform=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 1.0, 1.0)),
        sign=-1,
        knee=True,
        beyond=("c1", "m1"),
        nonnegative="m2",
        without=SINGLE_SLOPE,
        # one trace does not tell two knees apart; a whole set does
        shared={"ratio": (1.5, 6.0), "share": (0.1, 0.9)},
    ),
    trend="m1",
    words=lambda typical: (
        f"{moves(typical['m1'])} a pulse up to pulse {typical['t_star']:.0f}, and by "
        f"{100 * abs(typical['m2']):.4f} % from pulse {typical['ratio'] * typical['t_star']:.0f} on"
    ),
)
