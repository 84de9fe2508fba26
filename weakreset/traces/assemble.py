"""From a table and its layout to pulse traces, every reading that is not used named with its reason."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.counters import follow_counter
from weakreset.traces.gather import gather
from weakreset.traces.layout import VALUES, Layout
from weakreset.traces.readings import Readings, Reason
from weakreset.traces.table import Table
from weakreset.traces.trace import Exclusion, PulseTrace, TraceSet

__all__ = ["read_table"]

_LARGEST_PULSE = 2.0**53
_MOST_NEGATIVE = 0.2


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
    usable = np.flatnonzero((readings.device >= 0) & np.isfinite(readings.pulse))
    order = usable[np.argsort(readings.device[usable], kind="stable")]
    borders = np.flatnonzero(np.diff(readings.device[order])) + 1
    cycles = np.zeros(len(readings.pulse), dtype=np.int64)
    traces: list[PulseTrace] = []
    whole: list[Exclusion] = []
    for members in np.split(order, borders) if order.size else []:
        whole += _count(readings, members, cycles, file)
        traces += _traces_of(readings, members, cycles, file, whole)
    return TraceSet(tuple(traces), (*_exclusions(readings, cycles, table, file), *whole))


def _refuse_undefined_logarithm(readings: Readings, layout: Layout, file: str) -> None:
    """Refuse a file where most readings are not positive, or more are negative than noise around zero can explain."""
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
    path = follow_counter(pulses, None if readings.cycle is None else readings.cycle[order])
    cycles[order] = path.cycle
    if path.refused:
        readings.reason[order] = np.where(readings.reason[order] == Reason.GOOD, Reason.DEVICE, readings.reason[order])
        name = readings.device_names[readings.device[order[0]]]
        return [Exclusion(name, path.refused, file=file, n_readings=len(order))]
    for position in np.flatnonzero(path.reason):
        element = int(order[position])
        if readings.reason[element] == Reason.GOOD:
            readings.reason[element] = path.reason[position]
            readings.shown[element] = f"{float(readings.resistance_ohm[element])!r} ohm"
    return []


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
            found.append(PulseTrace(name, pulses, readings.resistance_ohm[kept], cycle, extras, file))
        elif not np.any(readings.reason[part] == Reason.DEVICE):
            whole.append(Exclusion(name, "no usable reading", cycle, file=file, n_readings=0))
    return found


def _exclusions(readings: Readings, cycles: NDArray[np.int64], table: Table, file: str) -> list[Exclusion]:
    found = []
    for element in np.flatnonzero((readings.reason != Reason.GOOD) & (readings.reason != Reason.DEVICE)):
        pulse, code = readings.pulse[element], readings.device[element]
        found.append(
            Exclusion(
                device=readings.device_names[code] if code >= 0 else "",
                reason=Reason(int(readings.reason[element])).words,
                cycle=int(cycles[element]),
                pulse=None if np.isnan(pulse) else int(pulse),
                value=readings.shown.get(int(element), ""),
                file=file,
                line=table.line_of(int(readings.row[element])),
            )
        )
    return found
