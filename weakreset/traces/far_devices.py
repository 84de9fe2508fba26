"""Devices that sit still a decade or more from all others: shorts through the leads, cells that were never SET.

A short reads the resistance of its leads, 50 to 500 ohm, which no limit in ohm tells from a cell of another technology;
only the others do. Among the laws such a device would be ruin: it counts as a cell of no drift, known very exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from weakreset.traces.screening_limits import ScreeningLimits
from weakreset.traces.trace import PulseTrace

__all__ = ["far_devices"]

_LEAST_TRACES = 10  # of fewer no one can say who is the odd one
_MOST_SHARE = 0.25  # more are no defects but a second kind of device
_SPREADS = 6.0  # a lot that is wide itself has no far devices: so many of its standard deviations
_STILL = 0.1  # of the distance from the others: a cell that moves as far as that is no dead one
_ENDS = 10


def far_devices(traces: Sequence[PulseTrace], limits: ScreeningLimits) -> dict[int, str]:
    """Place among `traces` and the reason, for those that are shorts or stuck beside the others.

    Parameters
    ----------
    traces : sequence of PulseTrace
        Those that passed all limits in ohm.
    limits : ScreeningLimits
        `far_decades`: how far from the median of all; 0 looks for none.
    """
    if limits.far_decades <= 0 or len(traces) < _LEAST_TRACES:
        return {}
    # one read of each is enough to know the lot, and cheap in sets of millions of reads
    middle = np.log([trace.resistance_ohm[len(trace) // 2] for trace in traces])
    centre = float(np.median(middle))
    spread = 1.4826 * float(np.median(np.abs(middle - centre)))
    reach = max(limits.far_decades * math.log(10.0), _SPREADS * spread)
    suspects: list[int] = np.flatnonzero(np.abs(middle - centre) > reach).tolist()
    if len(suspects) > _MOST_SHARE * len(traces):
        return {}
    found = {at: _reason(traces[at], centre, reach) for at in suspects}
    return {at: reason for at, reason in found.items() if reason}


def _reason(trace: PulseTrace, centre: float, reach: float) -> str:
    away = np.log(trace.resistance_ohm) - centre
    level = float(np.median(away))
    moved = abs(float(np.median(away[-_ENDS:]) - np.median(away[:_ENDS])))
    if np.abs(away).min() < reach or moved > _STILL * abs(level):
        return ""
    kind, side = ("short", "below") if level < 0 else ("stuck", "above")
    ohm, others = math.exp(centre + level), math.exp(centre)
    return f"{kind}: {ohm:.4g} ohm throughout, {math.exp(abs(level)):.3g} times {side} the other devices ({others:.4g})"
