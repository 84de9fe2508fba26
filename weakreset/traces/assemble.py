"""Step 5: from readings to pulse traces; a counter that restarts begins a cycle, what is not used is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.contract import Table
from weakreset.traces.counting import follow_counter
from weakreset.traces.layout import Layout
from weakreset.traces.readings import Readings
from weakreset.traces.trace import Exclusion, PulseTrace, Reason
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.vocabulary import is_statistic

__all__ = ["find_traces"]

_NO_SPREAD = 1e-24  # of (ln R) squared: repeats that agree to rounding are copies, no reads
_MOST_FALLS = 0.1  # of the steps from read to read; ramps that start again have one in thirty and less
_STILL_FROM = 10  # reads: so many with no pulse before them are retention, not a slow start


@dataclass(frozen=True, eq=False)
class _Followed:
    """The readings of one device after following its counter: cycle by cycle, in the order of the file within each.

    `refused` says why the whole device is not used, '' if it is; `shown` is added to that of `Readings`.
    """

    device: str
    elements: NDArray[np.int64]
    cycle: NDArray[np.int64]
    reason: NDArray[np.int8]
    shown: Mapping[int, str]
    refused: str = ""


def find_traces(readings: Readings, table: Table, layout: Layout, file: str) -> TraceSet:
    """Traces of all devices and cycles, with an exclusion for every reading and device that is not used."""
    order, starts = _by_device(readings)
    for values in (readings.cells.pulse, readings.resistance_ohm):
        values.setflags(write=False)  # and so are the parts of them that become traces
    traces: list[PulseTrace] = []
    whole: list[Exclusion] = []
    followed: list[_Followed] = []
    for begin, end, tidy in _stretches(readings, order, starts):
        members: Any = slice(begin, end) if order is None else order[begin:end]
        if tidy:
            traces.append(_tidy_trace(readings, members, file))
            continue
        device = _follow(readings, np.arange(begin, end) if order is None else members)
        followed.append(device)
        found, unused = _traces_of(readings, device, file)
        traces += found
        whole += unused
    traces, statistics = _without_statistics(traces)
    if _are_copies(traces, followed, layout):
        traces = [replace(trace, repeats=(0.0, 0)) if trace.repeats[1] else trace for trace in traces]
        followed = [_as_duplicates(device) for device in followed]
    return TraceSet(tuple(traces), (*_exclusions(readings, followed, table, file), *whole, *statistics))


def _without_statistics(traces: list[PulseTrace]) -> tuple[list[PulseTrace], list[Exclusion]]:
    """Without rows called `mean` or `std` among devices: they were computed from these."""
    computed = {trace.device for trace in traces if is_statistic(trace.device)}
    if not computed or len(computed) == len({trace.device for trace in traces}):
        return traces, []
    words = "its name says that it was computed from the other devices"
    left_out = [
        Exclusion(trace.device, words, trace.cycle, file=trace.source, n_readings=len(trace), trace=trace)
        for trace in traces if trace.device in computed
    ]
    return [trace for trace in traces if trace.device not in computed], left_out


def _by_device(readings: Readings) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Readings with a device and a pulse number, device after device in file order; None where they come so.

    And where in that order the second device begins, the third, ...
    """
    device, pulse = readings.cells.device, readings.cells.pulse
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
    pulse, reason, cycle = readings.cells.pulse, readings.reason, readings.cells.cycle
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
    cells = readings.cells
    pulses = cells.pulse[members].astype(np.int64, copy=False)
    ohm = readings.resistance_ohm[members]
    for values in (pulses, ohm):
        values.setflags(write=False)
    first = members.start if isinstance(members, slice) else members[0]
    extras = {key: values[members] for key, values in cells.extras.items()}
    cycle = 0 if cells.cycle is None else int(cells.cycle[first])
    return PulseTrace.of_checked(cells.device_names[cells.device[first]], pulses, ohm, cycle, extras, file)


def _follow(readings: Readings, members: NDArray[np.int64]) -> _Followed:
    """Follow the pulse counter of one device; names readings out of order, or refuses the whole device."""
    cells = readings.cells
    elements = members if cells.cycle is None else members[np.argsort(cells.cycle[members], kind="stable")]
    device = cells.device_names[cells.device[elements[0]]]
    elements = _sorted_by_pulse(cells.pulse[elements], elements, cells.cycle)
    pulses = cells.pulse[elements].astype(np.int64)
    cycle = follow_counter(pulses, None if cells.cycle is None else cells.cycle[elements]).cycle
    reason = readings.reason[elements]
    good = np.flatnonzero(reason == Reason.GOOD)  # where the first of repeated reads is bad, the next stands in
    path = follow_counter(pulses[good], cycle[good])
    if refused := path.refused or _stands_still(pulses[good]):
        reason[good] = Reason.DEVICE
        return _Followed(device, elements, cycle, reason, {}, refused)
    reason[good] = path.reason
    odd = elements[good[path.reason != Reason.GOOD]].tolist()
    shown = {element: f"{float(readings.resistance_ohm[element])!r} ohm" for element in odd}
    return _Followed(device, elements, cycle, reason, shown)


def _sorted_by_pulse(
    pulses: NDArray[Any], elements: NDArray[np.int64], cycle: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """The readings of a device in the order of their pulses where the rows stand in any order (sorted by R, newest
    first): every pulse once in its cycle, and the numbers fall more often than a counter that starts again."""
    if np.count_nonzero(np.diff(pulses) < 0) <= _MOST_FALLS * len(pulses):
        return elements
    keys = [pulses] if cycle is None else [pulses, cycle[elements]]
    if len(np.unique(np.stack(keys), axis=1).T) < len(pulses):
        return elements
    return np.asarray(elements[np.lexsort(keys)])


def _stands_still(pulses: NDArray[np.int64]) -> str:
    """Words on a counter that never moves, which is a number of pulses before each read taken for a counter."""
    if len(pulses) < _STILL_FROM or pulses[1] <= 0 or pulses[0] not in (0, pulses[1]):
        return ""
    if np.any(pulses[1:] != pulses[1]):
        return ""
    return (
        f"pulse counter does not move: {pulses[1]} in all {len(pulses)} reads. If that many pulses were applied before "
        "each read, map the column to burst"
    )


def _traces_of(readings: Readings, device: _Followed, file: str) -> tuple[list[PulseTrace], list[Exclusion]]:
    """A trace a cycle; the device if it is refused, and cycles without a usable reading."""
    traces: list[PulseTrace] = []
    unused: list[Exclusion] = []
    if device.refused:
        n_readings = int(np.count_nonzero(device.reason == Reason.DEVICE))
        unused.append(Exclusion(device.device, device.refused, file=file, n_readings=n_readings))
    for part in np.split(np.arange(len(device.elements)), np.flatnonzero(np.diff(device.cycle)) + 1):
        cycle, reason = int(device.cycle[part[0]]), device.reason[part]
        kept = device.elements[part[reason == Reason.GOOD]]
        if kept.size:
            extras = {key: values[kept] for key, values in readings.cells.extras.items()}
            pulses = readings.cells.pulse[kept].astype(np.int64)
            spread = _spread_of_repeats(readings, device.elements[part], reason)
            traces.append(
                PulseTrace(device.device, pulses, readings.resistance_ohm[kept], cycle, extras, file, spread)
            )
        elif not np.any(reason == Reason.DEVICE):
            unused.append(Exclusion(device.device, "no usable reading", cycle, file=file, n_readings=0))
    return traces, unused


def _spread_of_repeats(
    readings: Readings, elements: NDArray[np.int64], reason: NDArray[np.int8]
) -> tuple[float, int]:
    """Squared deviations of ln R among reads of one pulse number, and their degrees of freedom."""
    if not np.any(reason == Reason.REPEAT):
        return 0.0, 0
    used = elements[(reason == Reason.REPEAT) | (reason == Reason.GOOD)]
    _, group = np.unique(readings.cells.pulse[used], return_inverse=True)
    logs = np.log(readings.resistance_ohm[used])
    logs -= logs.mean()
    counts = np.bincount(group)
    means = np.bincount(group, logs) / counts
    return float(np.sum((logs - means[group]) ** 2)), int(len(used) - len(counts))


def _are_copies(traces: Sequence[PulseTrace], followed: Sequence[_Followed], layout: Layout) -> bool:
    """Where no repeated read of a file differs from the first, they are lines exported twice, not reads."""
    if layout.of("burst", "operation") or not any(np.any(device.reason == Reason.REPEAT) for device in followed):
        return False
    return not any(trace.repeats[0] > _NO_SPREAD * trace.repeats[1] for trace in traces)


def _as_duplicates(device: _Followed) -> _Followed:
    repeated = device.reason == Reason.REPEAT
    return replace(device, reason=np.where(repeated, np.int8(Reason.DUPLICATE), device.reason))


def _exclusions(
    readings: Readings, followed: Sequence[_Followed], table: Table, file: str
) -> list[Exclusion]:
    """One for every reading that is not used, in the order of the file."""
    if not followed and not readings.reason.any():
        return []
    cells = readings.cells
    reason, cycle, shown = readings.reason.copy(), np.zeros(len(readings.reason), dtype=np.int64), {**readings.shown}
    for device in followed:
        reason[device.elements], cycle[device.elements] = device.reason, device.cycle
        shown |= device.shown
    found: list[Exclusion] = []
    for element in np.flatnonzero((reason != Reason.GOOD) & (reason != Reason.DEVICE)).tolist():
        pulse, code = cells.pulse[element], cells.device[element]
        row = element if cells.row is None else cells.row[element]
        found.append(
            Exclusion(
                device=cells.device_names[code] if code >= 0 else "",
                reason=Reason(int(reason[element])).words,
                cycle=int(cycle[element]),
                pulse=None if np.isnan(pulse) else int(pulse),
                value=shown.get(element, ""),
                file=file,
                line=table.line_of(int(row)),
            )
        )
    return found
