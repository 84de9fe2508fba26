"""Step 6: the direction of traces. Ramps up and down under one counter are no run; one that falls is a gradual SET."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["judge_direction"]

_LEAST_READS = 12
_LEAST_LEG = 0.3
"""In ln R: turns of less are noise or telegraph switching to us."""
_SHARE_OF_RANGE = 0.5
_MOST_IN_ONE_STEP = 0.4
_LEAST_LEGS = 3
_FEW = 33
_FALL = 0.1
_FALL_IN_NOISE = 8.0


def judge_direction(traces: TraceSet) -> TraceSet:
    """Traces that rise and fall in turn are left out by name, and those that fall are noted.

    A leg is a change of ln R of at least 0.3 and half the range of the trace, in many small steps: telegraph noise
    jumps, a ramp climbs. A trace of three legs or more is a series of RESET and SET ramps.
    """
    kept: list[PulseTrace] = []
    found: list[Exclusion] = []
    falling = 0
    for trace in traces:
        if _plainly_rises(trace.resistance_ohm):
            kept.append(trace)
            continue
        log_r = np.log(trace.resistance_ohm)
        legs = _legs(log_r)
        if len(legs) >= _LEAST_LEGS:
            reads = round(len(trace) / len(legs))
            words = (
                f"ramps up and down: R rises and falls in turn, {len(legs)} ramps of about {reads} reads "
                "under one pulse counter; RESET and SET pulses in turn. Give each ramp a cycle of its own, and choose "
                "the RESET ones"
            )
            found.append(Exclusion(trace.device, words, trace.cycle, file=trace.source, n_readings=len(trace)))
            continue
        falling += _falls(log_r)
        kept.append(trace)
    if not found and not falling:
        return traces
    notes = traces.notes
    if falling:
        whole = "the trace" if len(traces) == 1 else f"{falling} of {len(traces)} traces"
        fall = "falls" if falling == 1 else "fall"
        notes = (*notes, f"resistance {fall} with the pulses in {whole}: a gradual SET rather than a weak RESET")
    return replace(traces, traces=tuple(kept), exclusions=(*traces.exclusions, *found), notes=notes)


def _plainly_rises(ohm: NDArray[np.float64]) -> bool:
    """Whether a few reads of a trace already show that it climbs without great turns: most do, and it is quick."""
    few = np.log(ohm[np.linspace(0, len(ohm) - 1, min(_FEW, len(ohm))).astype(np.int64)])
    span = float(few.max() - few.min())
    if few[-1] <= few[0]:
        return False
    travelled = float(np.sum(np.abs(np.diff(few))))
    return span < 0.5 * _LEAST_LEG or travelled < 1.5 * span


def _legs(log_r: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Begin and end of the ramps of a trace, in turn up and down; empty where its turns are jumps."""
    if len(log_r) < _LEAST_READS:
        return []
    smooth = _running_median(log_r)
    span = float(smooth.max() - smooth.min())
    if span < _LEAST_LEG:
        return []
    turns = _turning_points(smooth, max(_LEAST_LEG, _SHARE_OF_RANGE * span))
    legs = [(a, b) for a, b in pairwise(turns) if b - a >= 4]
    gradual = [
        leg for leg in legs
        if np.abs(np.diff(smooth[leg[0] : leg[1] + 1])).max() < _MOST_IN_ONE_STEP * abs(smooth[leg[1]] - smooth[leg[0]])
    ]  # fmt: skip
    return gradual if 2 * len(gradual) > len(legs) else []


def _running_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0))


def _turning_points(values: NDArray[np.float64], size: float) -> list[int]:
    """First point, every turn after a change of at least `size`, and the last extreme."""
    low = high = 0
    points = [0]
    direction = 0
    for i in range(1, len(values)):
        low = i if values[i] < values[low] else low
        high = i if values[i] > values[high] else high
        if direction >= 0 and values[high] - values[i] >= size:
            points += [high] if high != points[-1] else []
            direction, low = -1, i
            high = i
        elif direction <= 0 and values[i] - values[low] >= size:
            points += [low] if low != points[-1] else []
            direction, high = 1, i
            low = i
    return [*points, high if direction > 0 else low]


def _falls(log_r: NDArray[np.float64]) -> bool:
    """Whether the last reads lie below the first by more than noise explains."""
    if len(log_r) < _LEAST_READS:
        return False
    part = max(3, len(log_r) // 10)
    fall = float(np.median(log_r[:part]) - np.median(log_r[-part:]))
    noise = float(np.median(np.abs(np.diff(log_r)))) / np.sqrt(part)
    return bool(fall > max(_FALL, _FALL_IN_NOISE * noise))
