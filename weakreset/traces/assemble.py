"""From a table and its layout to pulse traces, every reading that is not used named with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.counters import follow_counter
from weakreset.traces.gather import gather
from weakreset.traces.layout import VALUES, Layout
from weakreset.traces.readings import Readings, Reason
from weakreset.traces.table import Table
from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["read_table"]

_LARGEST_PULSE = 2.0**53
_MOST_NEGATIVE = 0.2
_NO_SPREAD = 1e-24
_STILL_FROM = 10


def read_table(
    table: Table, layout: Layout, file: str, default_device: str, read_voltage_v: float | None = None
) -> TraceSet:
    """Traces and exclusions of one table; a pulse counter that restarts begins a new cycle.

    Raises
    ------
    TraceFormatError
        Text where numbers should be in more than a few cells, most readings not positive, or no read voltage.
    """
    readings = gather(table, layout, file, default_device, read_voltage_v)
    _refuse_undefined_logarithm(readings, layout, file)
    _check_pulse_numbers(readings)
    order, starts = _by_device(readings)
    for values in (readings.pulse, readings.resistance_ohm):
        values.setflags(write=False)  # and so are the parts of them that become traces
    cycles = np.zeros(len(readings.pulse), dtype=np.int64)
    traces: list[PulseTrace] = []
    whole: list[Exclusion] = []
    for begin, end, tidy in _stretches(readings, order, starts):
        members: Any = slice(begin, end) if order is None else order[begin:end]
        if tidy:
            traces.append(_tidy_trace(readings, members, file))
        else:
            members = np.arange(begin, end) if order is None else members
            whole += _count(readings, members, cycles, file)
            traces += _traces_of(readings, members, cycles, file, whole)
    traces = _without_copies(readings, traces, layout)
    return TraceSet(tuple(traces), (*_exclusions(readings, cycles, table, file), *whole))


def _by_device(readings: Readings) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Readings with a device and a pulse number, device after device in file order; None where they come so.

    And where in that order the second device begins, the third, ...
    """
    device, pulse = readings.device, readings.pulse
    if not readings.reason.any() or (device.min() >= 0 and bool(np.isfinite(pulse).all())):
        starts = np.flatnonzero(device[1:] != device[:-1]) + 1
        if np.all(device[starts] > device[starts - 1]):
            return None, starts
    usable = np.flatnonzero((device >= 0) & np.isfinite(pulse))
    order = np.asarray(usable[np.argsort(device[usable], kind="stable")])
    return order, np.flatnonzero(np.diff(device[order])) + 1


def _stretches(
    readings: Readings, order: NDArray[np.int64] | None, starts: NDArray[np.int64]
) -> list[tuple[int, int, bool]]:
    """Begin and end of each device in `order`; and whether it is tidy: one rising ramp of good readings."""
    pulse, reason, cycle = readings.pulse, readings.reason, readings.cycle
    if order is not None:
        pulse, reason, cycle = pulse[order], reason[order], None if cycle is None else cycle[order]
    if not pulse.size:
        return []
    odd = pulse[1:] <= pulse[:-1]
    if cycle is not None:
        odd |= cycle[1:] != cycle[:-1]
    odd[starts - 1] = False
    wrong = np.union1d(np.flatnonzero(odd) + 1, np.flatnonzero(reason)) if reason.any() else np.flatnonzero(odd) + 1
    starts = np.concatenate([[0], starts])
    tidy = np.ones(len(starts), dtype=bool)
    tidy[np.searchsorted(starts, wrong, side="right") - 1] = False
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(pulse)], tidy.tolist(), strict=True))


def _tidy_trace(readings: Readings, members: Any, file: str) -> PulseTrace:
    pulses = readings.pulse[members].astype(np.int64, copy=False)
    ohm = readings.resistance_ohm[members]
    for values in (pulses, ohm):
        values.setflags(write=False)
    first = members.start if isinstance(members, slice) else members[0]
    extras = {key: values[members] for key, values in readings.extras.items()}
    cycle = 0 if readings.cycle is None else int(readings.cycle[first])
    return PulseTrace.of_checked(readings.device_names[readings.device[first]], pulses, ohm, cycle, extras, file)


def _refuse_undefined_logarithm(readings: Readings, layout: Layout, file: str) -> None:
    """Refuse a file where most readings are not positive, or more are negative than noise around zero can explain."""
    if not readings.reason.any():
        return
    negative = readings.reason == Reason.NEGATIVE
    low = (readings.reason == Reason.ZERO) | negative
    n_low, n_read = int(low.sum()), int(low.sum()) + int((readings.reason == Reason.GOOD).sum())
    if 2 * n_low > n_read or int(negative.sum()) > _MOST_NEGATIVE * n_read:
        value = layout.of(*VALUES)[0].role
        example = readings.shown.get(int(np.flatnonzero(low)[0]), "")
        raise TraceFormatError(
            f"{file}: {n_low} of {n_read} readings of {value} are zero or negative (the first: {example}), so ln R is "
            "undefined. The values look normalised or offset, not measured in ohm or siemens; convert them back to "
            "ohm, or map the column that holds the measured values"
        )


def _check_pulse_numbers(readings: Readings) -> None:
    pulse = readings.pulse
    if pulse.dtype.kind == "i" and (not pulse.size or (pulse.min() >= 0 and pulse.max() < _LARGEST_PULSE)):
        return
    with np.errstate(invalid="ignore"):
        wrong = ~np.isnan(pulse) & ((pulse < 0) | (pulse >= _LARGEST_PULSE) | (pulse != np.floor(pulse)))
    for i in np.flatnonzero(wrong):
        readings.shown[int(i)] = f"{pulse[i]:g}"
    readings.reason[wrong] = Reason.BAD_PULSE
    readings.pulse = np.where(wrong, np.nan, pulse)


def _count(readings: Readings, members: NDArray[np.int64], cycles: NDArray[np.int64], file: str) -> list[Exclusion]:
    """Follow the pulse counter of one device; marks readings out of order, or the whole device."""
    order = members
    if readings.cycle is not None:
        order = members[np.argsort(readings.cycle[members], kind="stable")]
    pulses = readings.pulse[order].astype(np.int64)
    cycles[order] = follow_counter(pulses, None if readings.cycle is None else readings.cycle[order]).cycle
    good = readings.reason[order] == Reason.GOOD  # where the first of repeated reads is bad, the next stands in
    path = follow_counter(pulses[good], cycles[order[good]])
    if refused := path.refused or _stands_still(pulses[good]):
        readings.reason[order[good]] = Reason.DEVICE
        name = readings.device_names[readings.device[order[0]]]
        return [Exclusion(name, refused, file=file, n_readings=int(good.sum()))]
    for position in np.flatnonzero(path.reason):
        element = int(order[good][position])
        readings.reason[element] = path.reason[position]
        readings.shown[element] = f"{float(readings.resistance_ohm[element])!r} ohm"
    return []


def _stands_still(pulses: NDArray[np.int64]) -> str:
    """Words on a counter that never moves, which is a number of pulses before each read taken for a counter."""
    if len(pulses) < _STILL_FROM or pulses[0] <= 0 or np.any(pulses != pulses[0]):
        return ""
    return (
        f"pulse counter does not move: {pulses[0]} in all {len(pulses)} reads. If that many pulses were applied before "
        "each read, map the column to burst"
    )


def _traces_of(
    readings: Readings,
    members: NDArray[np.int64],
    cycles: NDArray[np.int64],
    file: str,
    whole: list[Exclusion],
) -> list[PulseTrace]:
    name = readings.device_names[readings.device[members[0]]]
    members = members[np.argsort(cycles[members], kind="stable")]
    found = []
    for part in np.split(members, np.flatnonzero(np.diff(cycles[members])) + 1):
        cycle = int(cycles[part[0]])
        kept = part[readings.reason[part] == Reason.GOOD]
        if kept.size:
            extras = {key: values[kept] for key, values in readings.extras.items()}
            pulses = readings.pulse[kept].astype(np.int64)
            ohm = readings.resistance_ohm[kept]
            found.append(PulseTrace(name, pulses, ohm, cycle, extras, file, _spread_of_repeats(readings, part)))
        elif not np.any(readings.reason[part] == Reason.DEVICE):
            whole.append(Exclusion(name, "no usable reading", cycle, file=file, n_readings=0))
    return found


def _spread_of_repeats(readings: Readings, part: NDArray[np.int64]) -> tuple[float, int]:
    """Squared deviations of ln R among reads of one pulse number, and their degrees of freedom."""
    reason = readings.reason[part]
    if not np.any(reason == Reason.REPEAT):
        return 0.0, 0
    used = part[(reason == Reason.REPEAT) | (reason == Reason.GOOD)]
    _, group = np.unique(readings.pulse[used], return_inverse=True)
    logs = np.log(readings.resistance_ohm[used])
    logs -= logs.mean()
    counts = np.bincount(group)
    means = np.bincount(group, logs) / counts
    return float(np.sum((logs - means[group]) ** 2)), int(len(used) - len(counts))


def _without_copies(readings: Readings, traces: list[PulseTrace], layout: Layout) -> list[PulseTrace]:
    """Where no repeated read of a file differs from the first, they are lines exported twice, not reads."""
    repeats = np.flatnonzero(readings.reason == Reason.REPEAT) if readings.shown else ()
    explicit = layout.of("burst", "operation")
    if len(repeats) == 0 or explicit or any(trace.repeats[0] > _NO_SPREAD * trace.repeats[1] for trace in traces):
        return traces
    readings.reason[repeats] = Reason.DUPLICATE
    return [replace(trace, repeats=(0.0, 0)) if trace.repeats[1] else trace for trace in traces]


def _exclusions(readings: Readings, cycles: NDArray[np.int64], table: Table, file: str) -> list[Exclusion]:
    found: list[Exclusion] = []
    if not readings.reason.any():
        return found
    for element in np.flatnonzero((readings.reason != Reason.GOOD) & (readings.reason != Reason.DEVICE)):
        pulse, code = readings.pulse[element], readings.device[element]
        row = element if readings.row is None else readings.row[element]
        found.append(
            Exclusion(
                device=readings.device_names[code] if code >= 0 else "",
                reason=Reason(int(readings.reason[element])).words,
                cycle=int(cycles[element]),
                pulse=None if np.isnan(pulse) else int(pulse),
                value=readings.shown.get(int(element), ""),
                file=file,
                line=table.line_of(int(row)),
            )
        )
    return found
