"""A device that opens or shorts midway: where, and in what words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.trace import Exclusion, PulseTrace, Reason

__all__ = ["cut_at_breakdown", "name_open_ends"]

_STAYS = 5  # reads: a glitch is over by then
_SHARE = 0.9  # of what follows: a device that comes back is not dead
_JUMP = 5.0
"""A device that climbs through the limit of an open one step by step does not open: it climbs."""
_ABRUPT = 100.0  # in one pulse; a weak RESET moves R by per cent
_SHORT_FALL = 0.1  # of R0: below the fresh state a cell does not go by itself
_SHORT_BELOW_OHM = 500.0
"""A SET leads back to about R0. Where R0 was not read, a fall by more than a decade is a short below this."""


def cut_at_breakdown(trace: PulseTrace, open_ohm: float, short_ohm: float) -> tuple[PulseTrace, Exclusion | None]:
    """The reads before the device opened, shorted, or jumped by two decades for good; and the rest by name."""
    ohm = trace.resistance_ohm
    found = (("open", _opens(trace, open_ohm)), ("short", _shorts(trace, short_ohm)), ("abrupt", _jumps(trace)))
    for kind, at in found:
        if at is None:
            continue
        words = f"{kind}: from {ohm[at - 1]:.4g} to {ohm[at]:.4g} ohm at pulse {trace.pulses[at]} for good; "
        rest = Exclusion(
            trace.device,
            words + "the reads from there on",
            trace.cycle,
            pulse=int(trace.pulses[at]),
            value=f"{float(ohm[at])!r} ohm",
            file=trace.source,
            n_readings=len(trace) - at,
        )
        return trace.select_reads(slice(0, at)), rest
    return trace, None


def name_open_ends(traces: Sequence[PulseTrace], exclusions: Sequence[Exclusion]) -> tuple[Exclusion, ...]:
    """The exclusions; a device that reads nothing but overflow, from a pulse on or throughout, is named as open."""
    code = Reason.CODE.words
    codes: dict[tuple[str, int], list[Exclusion]] = {}
    for item in exclusions:
        if item.reason == code and item.pulse is not None:
            codes.setdefault((item.device, item.cycle), []).append(item)
    if not codes:
        return tuple(exclusions)
    last = {(trace.device, trace.cycle): trace.n_pulses for trace in traces}
    ends: dict[int, Exclusion] = {}
    gone: set[int] = set()
    for key, items in codes.items():
        late = [item for item in items if key in last and (item.pulse or 0) > last[key]]
        if len(late) >= _STAYS:
            words = f"open: {code} in all {len(late)} reads from pulse {late[0].pulse} on"
            ends[id(late[0])] = replace(late[0], reason=words, n_readings=len(late))
            gone |= {id(item) for item in late[1:]}
    unused = "no usable reading"
    return tuple(
        replace(item, reason=f"open: {code} in all reads")
        if item.reason == unused and len(codes.get((item.device, item.cycle), ())) >= _STAYS
        else ends.get(id(item), item)
        for item in exclusions
        if id(item) not in gone
    )


def _opens(trace: PulseTrace, open_ohm: float) -> int | None:
    ohm = trace.resistance_ohm
    return _first(ohm, ohm > open_ohm, lambda before, after: after > _JUMP * before)


def _shorts(trace: PulseTrace, short_ohm: float) -> int | None:
    ohm, r0 = trace.resistance_ohm, trace.r0_ohm
    at = _first(ohm, ohm < short_ohm, lambda before, after: _JUMP * after < before)
    if at is not None:
        return at
    limit = _SHORT_FALL * r0 if r0 is not None else _SHORT_BELOW_OHM
    steep = np.flatnonzero(ohm[1:] < _SHORT_FALL * ohm[:-1]) + 1
    for i in steep.tolist():
        if np.mean(ohm[i:] < min(limit, _SHORT_FALL * float(np.median(ohm[:i])))) >= _SHARE:
            return int(i)
    return None


def _jumps(trace: PulseTrace) -> int | None:
    ohm = trace.resistance_ohm
    steep = np.flatnonzero(ohm[1:] > _ABRUPT * ohm[:-1]) + 1
    for i in steep.tolist():
        level = float(np.median(ohm[max(i - _STAYS, 0) : i]))
        if np.median(ohm[i:]) > _ABRUPT * level and np.mean(ohm[i:] > _JUMP * level) >= _SHARE:
            return int(i)
    return None


def _first(ohm: NDArray[np.float64], beyond: NDArray[np.bool_], is_jump: Callable[[float, float], bool]) -> int | None:
    """Where the reads go beyond a limit for good (nine in ten of the rest), from below it and by a jump."""
    if not beyond.any() or beyond.all():
        return None
    starts = np.flatnonzero(beyond & ~np.concatenate([[True], beyond[:-1]]))
    remaining = np.cumsum(beyond[::-1])[::-1]
    for i in starts.tolist():
        if remaining[i] < _SHARE * (len(ohm) - i):
            continue
        before = float(np.median(ohm[max(i - _STAYS, 0) : i]))
        if is_jump(before, float(np.median(ohm[i : i + _STAYS]))):
            return int(i)
    return None
