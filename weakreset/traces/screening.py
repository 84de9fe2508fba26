"""Devices and readings that cannot be a weak-RESET trace: open, short, stuck, stopped early, padded, SET between."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.breakdown import cut_at_breakdown, name_open_ends
from weakreset.traces.far_devices import far_devices
from weakreset.traces.screening_limits import ScreeningLimits
from weakreset.traces.spoiled_reads import without_spoiled_reads
from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["screen"]

_MOST_TRACES = 500  # excluded ones that are kept to be looked at; more would fill the memory of a long stream
_STAYS = 5  # reads on either side, so that one glitch makes no SET
_GROUP = 100
"""Traces looked at in one go: their reads stay in the cache."""


def screen(traces: TraceSet, limits: ScreeningLimits | None = None) -> TraceSet:
    """The traces that pass, with the others named among the exclusions.

    Parameters
    ----------
    traces : TraceSet
    limits : ScreeningLimits, optional

    Returns
    -------
    TraceSet
    """
    chosen = limits or ScreeningLimits()
    kept: list[PulseTrace] = []
    excluded = list(traces.exclusions)
    newest = _newest_cycles(traces) if chosen.split_sets else Counter()
    for original, plain in zip(traces, _are_plain(traces.traces, chosen), strict=True):
        if plain:
            kept.append(original)
            continue
        alive, broken = _alive(original, chosen, excluded)
        parts = [(alive, _ends(alive))] if _dead(alive, chosen) else _without_sets(alive, chosen, newest, excluded)
        for whole, ends in parts:
            trace, padding = _cut_padding(whole, chosen)
            reason = _reason(trace, chosen, _ends(trace) if padding else ends, stopped=padding is not None)
            if padding is not None:
                excluded.append(padding)
            if reason and broken is not None:
                reason = f"{broken.reason}, and before it {reason}"
            if reason:
                excluded.append(_left_out(trace, reason))
            else:
                kept.append(trace)
    for at, reason in sorted(far_devices(kept, chosen).items(), reverse=True):
        excluded.append(_left_out(kept.pop(at), reason))
    notes = (*traces.notes, f"screening limits: {chosen}")
    return replace(traces, traces=tuple(kept), exclusions=_remembered(name_open_ends(kept, excluded)), notes=notes)


def _left_out(trace: PulseTrace, reason: str) -> Exclusion:
    return Exclusion(trace.device, reason, trace.cycle, file=trace.source, n_readings=len(trace), trace=trace)


def _remembered(excluded: Sequence[Exclusion]) -> tuple[Exclusion, ...]:
    """All, of which the first with a trace keep it; single reads have none and do not count."""
    number = itertools.count()
    return tuple(
        replace(item, trace=None) if item.trace is not None and next(number) >= _MOST_TRACES else item
        for item in excluded
    )


def _alive(
    trace: PulseTrace, limits: ScreeningLimits, excluded: list[Exclusion]
) -> tuple[PulseTrace, Exclusion | None]:
    """The trace without single bad reads, up to where the device breaks down; what is left out is added by name."""
    trace, spoiled = without_spoiled_reads(trace, limits.overflow_ohm, limits.glitch_decades)
    excluded += spoiled
    alive, broken = cut_at_breakdown(trace, limits.open_ohm, limits.short_ohm)
    if broken is not None:  # its whole trace is what the report draws: the fit has the reads before only
        excluded.append(replace(broken, trace=trace))
    return alive, broken


def _are_plain(traces: Sequence[PulseTrace], limits: ScreeningLimits) -> list[bool]:
    """Whether nothing can be said against a trace: most are so, and many are looked at in one go."""
    plain: list[bool] = []
    for start in range(0, len(traces), _GROUP):
        group = traces[start : start + _GROUP]
        n_reads = np.array([len(trace.resistance_ohm) for trace in group])
        wanted = n_reads >= max(limits.min_reads, 2)
        if limits.min_last_pulse > 0:
            wanted &= np.array([trace.n_pulses for trace in group]) >= limits.min_last_pulse
        long = [trace.resistance_ohm for trace, yes in zip(group, wanted, strict=True) if yes]
        if long:
            wanted[wanted] = _unsuspicious(np.concatenate(long), n_reads[wanted], limits)
        plain += wanted.tolist()
    return plain


def _unsuspicious(ohm: NDArray[np.float64], n_reads: NDArray[np.int64], limits: ScreeningLimits) -> NDArray[np.bool_]:
    """For traces of `n_reads` that stand one after the other: neither open, short, stuck, padded, nor SET between."""
    ends = np.cumsum(n_reads)
    low, high = (kind.reduceat(ohm, ends - n_reads) for kind in (np.minimum, np.maximum))
    good = (limits.short_ohm <= low) & (low < high) & (high <= limits.open_ohm) & (low >= limits.set_ratio * high)
    if limits.glitch_decades > 0:
        good &= low * 10.0 ** min(limits.glitch_decades, 2.0) >= high
    if limits.padded_reads:
        good &= (limits.padded_reads > 1) & (ohm[ends - 1] != ohm[ends - 2])
    return np.asarray(good)


def _newest_cycles(traces: TraceSet) -> Counter[str]:
    newest: Counter[str] = Counter()
    for trace in traces:
        newest[trace.device] = max(newest[trace.device], trace.cycle)
    return newest


def _ends(trace: PulseTrace) -> tuple[float, float]:
    """Smallest and largest resistance."""
    return float(trace.resistance_ohm.min()), float(trace.resistance_ohm.max())


def _reason(trace: PulseTrace, limits: ScreeningLimits, ends: tuple[float, float], stopped: bool) -> str:
    if not len(trace):
        return "no reads"
    low, high = ends
    if dead := _dead(trace, limits):
        return dead
    if limits.stuck and len(trace) > 1 and low == high:
        return f"stuck: all {len(trace)} reads are {low!r} ohm"
    if len(trace) < limits.min_reads:
        kind = "early stop" if stopped else "too few reads"
        return f"{kind}: {len(trace)} reads, fewer than {limits.min_reads}"
    if trace.n_pulses < limits.min_last_pulse:
        return f"early stop: the trace ends at pulse {trace.n_pulses}, before {limits.min_last_pulse}"
    return ""


def _dead(trace: PulseTrace, limits: ScreeningLimits) -> str:
    """Words on a device that is open or short as a whole: it has no SETs."""
    median = float(np.median(trace.resistance_ohm)) if len(trace) else math.nan
    if median > limits.open_ohm:
        return f"open: median resistance {median:.4g} ohm is above {limits.open_ohm:.4g}"
    if median < limits.short_ohm:
        return f"short: median resistance {median:.4g} ohm is below {limits.short_ohm:.4g}"
    return ""


def _without_sets(
    trace: PulseTrace, limits: ScreeningLimits, newest: Counter[str], excluded: list[Exclusion]
) -> Iterator[tuple[PulseTrace, tuple[float, float]]]:
    """The trace cut, or split into cycles, where the resistance falls as it does at a SET; and the extremes."""
    ends = _ends(trace) if len(trace) else (math.nan, math.nan)
    falls = _falls(trace, limits.set_ratio) if ends[0] < limits.set_ratio * ends[1] else []
    if not falls:
        yield trace, ends
        return
    parts = [trace.select_reads(slice(0, falls[0]))]
    if not limits.split_sets:
        excluded.append(_fall(trace, falls[0]))
    for begin, end in zip(falls, [*falls[1:], len(trace)], strict=True) if limits.split_sets else ():
        newest[trace.device] += 1
        part = trace.select_reads(slice(begin, end))
        pulses = part.pulses - part.pulses[0]
        parts.append(replace(part, pulses=pulses, cycle=newest[trace.device], repeats=(0.0, 0)))
    yield from ((part, _ends(part)) for part in parts)


def _falls(trace: PulseTrace, ratio: float) -> list[int]:
    """Positions of the first reads after a fall that stays."""
    ohm = trace.resistance_ohm
    steep = np.flatnonzero(ohm[1:] < ratio * ohm[:-1]) + 1
    return [int(i) for i in steep if np.median(ohm[i : i + _STAYS]) < ratio * np.median(ohm[max(i - _STAYS, 0) : i])]


def _fall(trace: PulseTrace, at: int) -> Exclusion:
    before, after = trace.resistance_ohm[at - 1 : at + 1]
    return Exclusion(
        trace.device,
        f"looks like a SET: {before:.4g} ohm falls to {after:.4g} at pulse {trace.pulses[at]}; the reads from there on",
        trace.cycle,
        pulse=int(trace.pulses[at]),
        value=repr(float(after)),
        file=trace.source,
        n_readings=len(trace) - at,
    )


def _cut_padding(trace: PulseTrace, limits: ScreeningLimits) -> tuple[PulseTrace, Exclusion | None]:
    """The trace without copies at its end, and what was cut; the first of the equal reads is a read."""
    ohm = trace.resistance_ohm
    if not limits.padded_reads or len(ohm) < 2 or (limits.padded_reads > 1 and ohm[-1] != ohm[-2]):
        return trace, None
    changes = np.flatnonzero(np.diff(ohm) != 0)
    if not changes.size:
        return trace, None
    runs = np.diff(np.concatenate([[-1], changes, [len(ohm) - 1]]))
    if runs[-1] < limits.padded_reads or runs[-1] <= 3 * runs[:-1].max():
        return trace, None
    end = len(ohm) - int(runs[-1]) + 1
    padding = Exclusion(
        trace.device,
        "padded: copies of the last read after a stop",
        trace.cycle,
        pulse=int(trace.pulses[end]),
        value=repr(float(ohm[-1])),
        file=trace.source,
        n_readings=len(ohm) - end,
    )
    return trace.select_reads(slice(0, end)), padding
