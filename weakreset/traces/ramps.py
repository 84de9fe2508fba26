"""Step 6: ramps up and down under one running counter are told apart; they are no run of pulses of one kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.lengths import tables_of_one_length
from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["WAYS", "tell_ramps_apart"]

Array = NDArray[np.float64]
Leg = tuple[int, int]

WAYS = ("no", "reset", "set")
"""What becomes of ramps: left out, or those that rise or fall are cycles."""

_LEAST_READS = 12  # fewer show no ramp
_LEAST_LEG = 0.3
"""In ln R: turns of less are noise or telegraph switching, unless they come at an even pace."""
_SHARE_OF_RANGE = 0.5  # of the whole trace, so that small turns within one ramp do not count
_MOST_IN_ONE_STEP = 0.4  # of a leg: more is a telegraph step or a SET, no ramp
_LEAST_LEGS = 3  # up, down, up: one turn may be a drift of its own
_FEW = 33
_LEAST_PERIODS = 4
_LEAST_READS_AT_A_PACE = 60  # 1/f noise of 40 reads looks like ramps in one trace of 5,000
_AT_A_PACE = 0.75  # of the variance about a straight line: red and telegraph noise reach it once in some 1,000 traces
_LONG = 24  # reads of a period: the median of three takes the tip off shorter ones
_OFF_PACE = 0.15  # of a period: turns that keep to a pace better than this were made by counting pulses


@dataclass(frozen=True)
class _Ramps:
    """The ramps of a trace, in turn up and down: first and last read of each."""

    legs: tuple[Leg, ...]
    rises: tuple[bool, ...]


def tell_ramps_apart(traces: TraceSet, way: str = "no") -> TraceSet:
    """Traces that rise and fall in turn are left out by name, or cut into cycles.

    Two kinds of traces ramp. In one the ramps are large: a leg is a change of ln R of at least 0.3 and half the range
    of the trace, in many small steps (telegraph noise jumps, a ramp climbs), and there are three or more. In the other
    they come at an even pace: one frequency, of four periods or more, holds three quarters of the variance, and every
    turn comes when it is due.

    Parameters
    ----------
    traces : TraceSet
    way : str
        "no": such traces are left out. "reset": each ramp that rises is a cycle that begins with pulse 0, "set": each
        that falls; the others are left out.
    """
    ramped = {at: ramps for at in _suspects(traces.traces) if (ramps := _find_ramps(traces.traces[at]))}
    if not ramped:
        return traces
    kept: list[PulseTrace] = []
    left_out: list[Exclusion] = []
    newest = Counter[str]()
    for trace in traces:
        newest[trace.device] = max(newest[trace.device], trace.cycle)
    for at, trace in enumerate(traces):
        if at not in ramped:
            kept.append(trace)
        elif way == "no":
            left_out.append(_ramped(trace, ramped[at]))
        else:
            kept += _cycles(trace, ramped[at], way == "reset", newest)
            left_out.append(_others(trace, ramped[at], way))
    return replace(traces, traces=tuple(kept), exclusions=(*traces.exclusions, *left_out))


def _ramped(trace: PulseTrace, ramps: _Ramps) -> Exclusion:
    n_legs = len(ramps.legs)
    words = (
        f"ramps up and down: R rises and falls in turn, {n_legs} ramps of about {round(len(trace) / n_legs)} reads "
        "under one pulse counter; RESET and SET pulses in turn. Read the RESET ramps as cycles with --limits "
        "split_ramps=reset, the SET ramps with split_ramps=set"
    )
    return Exclusion(trace.device, words, trace.cycle, file=trace.source, n_readings=len(trace))


def _cycles(trace: PulseTrace, ramps: _Ramps, rising: bool, newest: Counter[str]) -> list[PulseTrace]:
    """The ramps of one direction; the read at which one begins is its read before the first pulse."""
    parts: list[PulseTrace] = []
    for (begin, end), rises in zip(ramps.legs, ramps.rises, strict=True):
        if rises != rising:
            continue
        part = trace.select_reads(slice(begin, end + 1))
        if parts:
            newest[trace.device] += 1
        cycle = newest[trace.device] if parts else trace.cycle
        parts.append(replace(part, pulses=part.pulses - part.pulses[0], cycle=cycle, repeats=(0.0, 0)))
    return parts


def _others(trace: PulseTrace, ramps: _Ramps, way: str) -> Exclusion:
    other = [leg for leg, rises in zip(ramps.legs, ramps.rises, strict=True) if rises != (way == "reset")]
    kind = "fall (SET)" if way == "reset" else "rise (RESET)"
    words = f"ramps up and down: {len(other)} of {len(ramps.legs)} ramps {kind}, with split_ramps={way}"
    n_readings = sum(end - begin for begin, end in other)
    return Exclusion(trace.device, words, trace.cycle, file=trace.source, n_readings=n_readings)


def _suspects(traces: Sequence[PulseTrace]) -> list[int]:
    """Traces that may ramp. The others, nearly all, are cleared many at once, each by a few of its reads."""
    suspects: list[int] = []
    for group, ohm in tables_of_one_length(traces):
        if ohm.shape[1] >= _LEAST_READS:
            suspects += [group[i] for i in _suspects_of(ohm)]
    return sorted(suspects)


def _suspects_of(ohm: Array) -> list[int]:
    """The rows that may ramp, of traces of one length."""
    n_reads = ohm.shape[1]
    some = np.linspace(0, n_reads - 1, min(_FEW, n_reads)).astype(np.int64)
    # a running median reaches no further than the reads: without a span there is no large leg
    suspect = ohm.max(axis=1) >= ohm.min(axis=1) * np.exp(_LEAST_LEG - 1e-9)
    left = ~_plainly_rises(np.log(ohm[:, some]))
    suspect &= left
    unclear = np.flatnonzero(left & ~suspect)
    if n_reads >= _LEAST_READS_AT_A_PACE and unclear.size:
        # what no large leg has varies so little that R is as good as its logarithm
        whole = ohm if unclear.size == len(ohm) else ohm[unclear]
        paced = np.flatnonzero(_may_keep_a_pace(whole))
        suspect[unclear[paced[_pace(whole[paced])[1] >= _AT_A_PACE]]] = True
    return np.flatnonzero(suspect).tolist()


def _plainly_rises(few: Array) -> NDArray[np.bool_]:
    """Whether a few ln R of each trace, a row each, already show that it climbs without great turns: most do."""
    span = few.max(axis=1) - few.min(axis=1)
    travelled = np.abs(np.diff(few, axis=1)).sum(axis=1)
    return np.asarray((few[:, -1] > few[:, 0]) & (travelled < 1.5 * span))


def _may_keep_a_pace(ohm: Array) -> NDArray[np.bool_]:
    """False where `_pace` finds no even pace, told at a third of its cost; so it is nearly everywhere.

    Three neighbouring frequencies hold three quarters of the variance only where one of them holds a quarter. Single
    precision errs by some 1e-6 of the variance, far less than the margin.
    """
    n = ohm.shape[1]
    bent = _about_a_line(ohm)
    size = np.sqrt(np.einsum("ij,ij->i", bent, bent))
    bent /= np.maximum(size, 1e-300)[:, None]
    waves = np.fft.rfft(bent.astype(np.float32), axis=1)[:, _LEAST_PERIODS - 1 :]
    strongest = (waves.real**2 + waves.imag**2).max(axis=1)
    # Parseval: the powers of all frequencies but 0 add up to n / 2 or a little more
    return np.asarray(strongest >= (_AT_A_PACE - 0.03) / 3.0 * 0.5 * n)


def _about_a_line(rows: Array) -> Array:
    """What a straight line leaves of each row."""
    n = rows.shape[1]
    t = np.arange(n) - 0.5 * (n - 1)
    centred = rows - rows.mean(axis=1, keepdims=True)
    centred -= (centred @ t / (t @ t))[:, None] * t
    return np.asarray(centred)


def _pace(log_r: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Strongest frequency of four periods or more of each row, its share of the variance, and its peak to peak.

    A triangle has 98 % of its variance at one frequency, ramps of two to one 80 %; neighbours count, since a trace
    seldom ends with a period.
    """
    n = log_r.shape[1]
    power = np.abs(np.fft.rfft(_about_a_line(log_r), axis=1)) ** 2
    periods = power[:, _LEAST_PERIODS:].argmax(axis=1) + _LEAST_PERIODS
    rows = np.arange(len(power))
    near = sum(power[rows, np.minimum(periods + k, power.shape[1] - 1)] for k in (-1, 0, 1))
    return periods, near / np.maximum(power[:, 1:].sum(axis=1), 1e-300), 4.0 / n * np.sqrt(near)


def _find_ramps(trace: PulseTrace) -> _Ramps | None:
    log_r = np.log(trace.resistance_ohm)
    legs = _legs_at_a_pace(log_r) or _large_legs(log_r)
    if len(legs) < _LEAST_LEGS:
        return None
    return _Ramps(tuple(legs), tuple(bool(log_r[b] > log_r[a]) for a, b in legs))


def _legs_at_a_pace(log_r: Array) -> list[Leg]:
    if len(log_r) < _LEAST_READS_AT_A_PACE:
        return []
    periods, share, size = (float(found[0]) for found in _pace(log_r[None]))
    if share < _AT_A_PACE:
        return []
    smooth = _running_median(log_r) if len(log_r) > _LONG * periods else log_r
    turns = _at_a_pace(_sharpest(log_r, _turning_points(smooth, 0.5 * size), len(log_r) / periods), len(log_r))
    return [(a, b) for a, b in pairwise(turns) if b > a]


def _sharpest(values: Array, turns: list[int], period: float) -> list[int]:
    """The turns where the trace is bent most: a ramp that slows down has its extreme anywhere on its last reads."""
    reach, arm = max(1, int(period / 6)), max(1, int(period / 8))
    padded = np.pad(values, arm, mode="edge")
    bend = values - 0.5 * (padded[: -2 * arm] + padded[2 * arm :])
    moved = list(turns)
    for i, at in enumerate(turns[1:-1], 1):
        sign = 1.0 if values[at] > values[turns[i - 1]] else -1.0
        first = max(0, at - reach)
        moved[i] = first + int((sign * bend[first : at + reach + 1]).argmax())
    return moved


def _at_a_pace(turns: list[int], n_reads: int) -> list[int]:
    """The turns where an even count of pulses puts them; none where they come as they like.

    The extreme of noisy reads lies to either side of a turn: the median says where all of them are.
    """
    inner = [np.array(turns[1:-1][first::2]) for first in (0, 1)]
    if min(map(len, inner)) < _LEAST_PERIODS - 1:
        return []
    even: list[int] = []
    for kind in inner:
        period = (kind[-1] - kind[0]) / (len(kind) - 1)
        expected = kind[0] + period * np.arange(len(kind))
        expected += np.median(kind - expected)
        if np.abs(kind - expected).max() > max(2.0, _OFF_PACE * period):
            return []
        even += np.rint(expected).astype(int).clip(0, n_reads - 1).tolist()
    return sorted({0, *even, n_reads - 1})


def _large_legs(log_r: Array) -> list[Leg]:
    """Begin and end of large ramps; empty where the turns are jumps."""
    smooth = _running_median(log_r)
    span = float(smooth.max() - smooth.min())
    if span < _LEAST_LEG:
        return []
    turns = _turning_points(smooth, max(_LEAST_LEG, _SHARE_OF_RANGE * span))
    turns = _sharpest(log_r, turns, 2.0 * len(log_r) / len(turns))
    legs = [(a, b) for a, b in pairwise(turns) if b - a >= 4]
    gradual = [
        leg for leg in legs
        if np.abs(np.diff(smooth[leg[0] : leg[1] + 1])).max() < _MOST_IN_ONE_STEP * abs(smooth[leg[1]] - smooth[leg[0]])
    ]  # fmt: skip
    return gradual if 2 * len(gradual) > len(legs) else []


def _running_median(values: Array) -> Array:
    padded = np.pad(values, 1, mode="edge")
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0))


def _turning_points(values: Array, size: float) -> list[int]:
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
