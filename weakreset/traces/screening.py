"""Devices that cannot be a weak-RESET trace: open, short, stuck, stopped early, padded after a stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from weakreset.errors import UsageError
from weakreset.traces.trace import Exclusion, PulseTrace, TraceSet

__all__ = ["ScreeningLimits", "screen"]


@dataclass(frozen=True)
class ScreeningLimits:
    """When a device is not used.

    Parameters
    ----------
    open_ohm : float
        Open: the median resistance is above this.
    short_ohm : float
        Short: the median resistance is below this.
    stuck : bool
        Stuck: all reads are exactly equal.
    min_reads : int
        Fewer reads than this are too few for a fit.
    min_last_pulse : int
        Early stop: the trace ends before this pulse. Off (0) by default: a trace that ends early still says much
        about its drift, and leaving out devices that reach a target soon would bias the population.
    padded_reads : int
        Padded: a trace that ends in this many equal reads or more, and in three times more than it repeats anywhere
        before, was stopped and filled up with copies. The copies are left out, the trace is kept. 0 switches it off.

    Raises
    ------
    UsageError
        A limit that makes no sense.
    """

    open_ohm: float = 1e7
    short_ohm: float = 10.0
    stuck: bool = True
    min_reads: int = 30
    min_last_pulse: int = 0
    padded_reads: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.short_ohm < self.open_ohm:
            raise UsageError(f"short_ohm {self.short_ohm:g} must be from 0 up and below open_ohm {self.open_ohm:g}")
        for name in ("min_reads", "min_last_pulse", "padded_reads"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} {getattr(self, name)} must not be negative")


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
    for whole in traces:
        trace, padding = _cut_padding(whole, chosen)
        reason = _reason(trace, chosen, stopped=padding is not None)
        if padding is not None:
            excluded.append(padding)
        if reason:
            excluded.append(Exclusion(trace.device, reason, trace.cycle, file=trace.source, n_readings=len(trace)))
        else:
            kept.append(trace)
    return replace(traces, traces=tuple(kept), exclusions=tuple(excluded))


def _reason(trace: PulseTrace, limits: ScreeningLimits, stopped: bool) -> str:
    ohm = trace.resistance_ohm
    if not len(trace):
        return "no reads"
    median = float(np.median(ohm))
    if median > limits.open_ohm:
        return f"open: median resistance {median:.4g} ohm is above {limits.open_ohm:.4g}"
    if median < limits.short_ohm:
        return f"short: median resistance {median:.4g} ohm is below {limits.short_ohm:.4g}"
    if limits.stuck and len(trace) > 1 and np.all(ohm == ohm[0]):
        return f"stuck: all {len(trace)} reads are {float(ohm[0])!r} ohm"
    if len(trace) < limits.min_reads:
        kind = "early stop" if stopped else "too few reads"
        return f"{kind}: {len(trace)} reads, fewer than {limits.min_reads}"
    if trace.n_pulses < limits.min_last_pulse:
        return f"early stop: the trace ends at pulse {trace.n_pulses}, before {limits.min_last_pulse}"
    return ""


def _cut_padding(trace: PulseTrace, limits: ScreeningLimits) -> tuple[PulseTrace, Exclusion | None]:
    """The trace without copies at its end, and what was cut; the first of the equal reads is a read."""
    ohm = trace.resistance_ohm
    changes = np.flatnonzero(np.diff(ohm) != 0)
    if not limits.padded_reads or not changes.size:
        return trace, None
    runs = np.diff(np.concatenate([[-1], changes, [len(ohm) - 1]]))
    if runs[-1] < limits.padded_reads or runs[-1] <= 3 * runs[:-1].max():
        return trace, None
    end = len(ohm) - int(runs[-1]) + 1
    extras = {name: np.asarray(values)[:end] for name, values in trace.extras.items()}
    cut = replace(trace, pulses=trace.pulses[:end], resistance_ohm=ohm[:end], extras=extras)
    padding = Exclusion(
        trace.device,
        "padded: copies of the last read after a stop",
        trace.cycle,
        pulse=int(trace.pulses[end]),
        value=repr(float(ohm[-1])),
        file=trace.source,
        n_readings=len(ohm) - end,
    )
    return cut, padding
