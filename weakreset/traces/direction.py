"""Step 6: the direction of traces. Ramps up and down under one counter are no run; one that falls is a gradual SET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["judge_direction"]

Array = NDArray[np.float64]

_LEAST_READS = 12  # fewer show no ramp
_LEAST_LEG = 0.3
"""In ln R: turns of less are noise or telegraph switching to us."""
_SHARE_OF_RANGE = 0.5  # of the whole trace, so that small turns within one ramp do not count
_MOST_IN_ONE_STEP = 0.4  # of a leg: more is a telegraph step or a SET, no ramp
_LEAST_LEGS = 3  # up, down, up: one turn may be a drift of its own
_FEW = 33
_GROUP = 500
"""Traces of one length looked at in one go."""
_FALL = 0.1  # in ln R: less is within what telegraph noise and 1/f do
_FALL_IN_NOISE = 8.0  # robust sd of a step


def judge_direction(traces: TraceSet) -> TraceSet:
    """Traces that rise and fall in turn are left out by name, and those that fall are noted.

    A leg is a change of ln R of at least 0.3 and half the range of the trace, in many small steps: telegraph noise
    jumps, a ramp climbs. A trace of three legs or more is a series of RESET and SET ramps.
    """
    suspects = _suspects(traces.traces)
    if not suspects:
        return traces
    ramped: dict[int, Exclusion] = {}
    falling = 0
    for at in suspects:
        trace = traces.traces[at]
        log_r = np.log(trace.resistance_ohm)
        legs = _legs(log_r)
        if len(legs) >= _LEAST_LEGS:
            ramped[at] = _ramped(trace, len(legs))
        else:
            falling += _falls(log_r)
    if not ramped and not falling:
        return traces
    kept = tuple(trace for at, trace in enumerate(traces) if at not in ramped)
    notes = traces.notes
    if falling:
        whole = "the trace" if len(traces) == 1 else f"{falling} of {len(traces)} traces"
        notes = (*notes, f"the resistance falls with the pulses in {whole}: a gradual SET rather than a weak RESET")
    return replace(traces, traces=kept, exclusions=(*traces.exclusions, *ramped.values()), notes=notes)


def _ramped(trace: PulseTrace, n_legs: int) -> Exclusion:
    words = (
        f"ramps up and down: R rises and falls in turn, {n_legs} ramps of about {round(len(trace) / n_legs)} reads "
        "under one pulse counter; RESET and SET pulses in turn. Give each ramp a cycle of its own, and choose "
        "the RESET ones"
    )
    return Exclusion(trace.device, words, trace.cycle, file=trace.source, n_readings=len(trace))


def _suspects(traces: Sequence[PulseTrace]) -> list[int]:
    """Traces that may ramp or fall. The others, nearly all, are cleared many at once, each by a few of its reads."""
    by_length: dict[int, list[int]] = {}
    for at, trace in enumerate(traces):
        by_length.setdefault(len(trace.resistance_ohm), []).append(at)
    suspects: list[int] = []
    for n_reads, members in by_length.items():
        if n_reads < _LEAST_READS:
            continue
        for start in range(0, len(members), _GROUP):
            group = members[start : start + _GROUP]
            suspects += _suspects_of([traces[at].resistance_ohm for at in group], group, n_reads)
    return sorted(suspects)


def _suspects_of(ohm: Sequence[Array], group: Sequence[int], n_reads: int) -> list[int]:
    some = np.linspace(0, n_reads - 1, min(_FEW, n_reads)).astype(np.int64)
    rising = _plainly_rises(np.log(np.stack([reads[some] for reads in ohm])))
    left = np.flatnonzero(~rising).tolist()
    if not left:
        return []
    whole = np.stack([ohm[i] for i in left])
    # a running median reaches no further than the reads: without a span there is no leg
    spans = whole.max(axis=1) >= whole.min(axis=1) * np.exp(_LEAST_LEG - 1e-9)
    part = _end_part(n_reads)
    falls = _fall(np.log(whole[:, :part]), np.log(whole[:, -part:])) > _FALL
    return [group[left[i]] for i in np.flatnonzero(spans | falls).tolist()]


def _plainly_rises(few: Array) -> NDArray[np.bool_]:
    """Whether a few ln R of each trace, a row each, already show that it climbs without great turns: most do."""
    span = few.max(axis=1) - few.min(axis=1)
    travelled = np.abs(np.diff(few, axis=1)).sum(axis=1)
    return np.asarray((few[:, -1] > few[:, 0]) & ((span < 0.5 * _LEAST_LEG) | (travelled < 1.5 * span)))


def _legs(log_r: Array) -> list[tuple[int, int]]:
    """Begin and end of the ramps of a trace, in turn up and down; empty where its turns are jumps."""
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


def _running_median(values: Array) -> Array:
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


def _falls(log_r: Array) -> bool:
    """Whether the last reads lie below the first by more than noise explains."""
    part = _end_part(len(log_r))
    noise = float(np.median(np.abs(np.diff(log_r)))) / np.sqrt(part)
    return bool(_fall(log_r[:part], log_r[-part:]) > max(_FALL, _FALL_IN_NOISE * noise))


def _end_part(n_reads: int) -> int:
    return max(3, n_reads // 10)


def _fall(first: Array, last: Array) -> Array:
    return np.asarray(np.median(first, axis=-1) - np.median(last, axis=-1))
