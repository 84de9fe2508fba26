"""Step 4b: readings in ohm, each good or with the reason why it is not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.cells import Cells, find_cells
from weakreset.traces.contract import Table
from weakreset.traces.counting import number_column
from weakreset.traces.doubts import UnitDoubtError
from weakreset.traces.layout import Layout
from weakreset.traces.read_voltages import read_higher
from weakreset.traces.trace import Reason
from weakreset.traces.units import parse_unit, split_name
from weakreset.traces.vocabulary import is_pulse_setting

__all__ = ["Readings", "find_readings"]

_LARGEST_PULSE = 2.0**53  # whole numbers beyond this are not exact in double precision
_MOST_NEGATIVE = 0.2  # of the readings: more is a sign convention, not noise around zero
_CODE_FROM = 1e30
"""No reading in any unit is as large: instruments write 9.9E37, 9.91E37, 1E38, 1.99999E+101 for overflow and errors."""
_LOOK_NORMALISED = (
    "The values look normalised or offset, not measured in ohm or siemens; convert them back to ohm, or map the column "
    "that holds the measured values"
)
_LARGEST_READ_V = 0.5  # no pulse of a RESET is as small; reads seldom are larger
_PINNED_LEAST = 3  # equal to the last digit: twice may be chance
_PINNED_SHARE = 0.2  # of the readings: more is a coarse range of the instrument
_PINNED_GAP = 3.0  # times all others: compliance stands apart, a plateau of the device does not


@dataclass(frozen=True, eq=False)
class Readings:
    """The cells of a table as resistances; `reason` holds `Reason` values, `shown` what a bad cell holds, in words.

    Pulse numbers are whole numbers from 0 up, or NaN.
    """

    cells: Cells
    resistance_ohm: NDArray[np.float64]
    reason: NDArray[np.int8]
    shown: Mapping[int, str]


def find_readings(
    table: Table, layout: Layout, file: str, default_device: str, read_voltage_v: float | None = None
) -> Readings:
    """Readings of `table`, in the order of the file.

    Raises
    ------
    TraceFormatError
        Text where numbers should be in more than a few cells, most readings not positive, or no read voltage.
    """
    cells = find_cells(table, layout, file, default_device)
    readings = _judge(cells, _in_ohm(cells, table, layout, file, read_voltage_v), layout.values[0].role == "current")
    if read_voltage_v is None and layout.of("read_voltage"):
        readings = _at_lowest_voltage(readings, table, layout, file)
    _refuse_undefined_logarithm(readings, layout, file)
    return _whole_pulses(readings)


def _in_ohm(
    cells: Cells, table: Table, layout: Layout, file: str, voltage_v: float | None
) -> NDArray[np.float64]:
    role = layout.values[0].role
    factor = _unit_by_row(cells, table, layout, file) if layout.of("unit") else _unit_factor(cells, layout)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        si = cells.value if isinstance(factor, float) and factor == 1.0 else cells.value * factor
        if role == "resistance":
            return si
        if role == "conductance":
            return np.asarray(1.0 / si)
        return np.asarray(_read_voltage(cells, table, layout, file, voltage_v) / si)


def _unit_factor(cells: Cells, layout: Layout) -> NDArray[np.float64] | float:
    """Size of the unit in SI units: one for all, or one for each element where columns have different units."""
    roles = layout.values
    if len(roles) == 1:
        return roles[0].unit.scale if roles[0].unit else 1.0
    scale = np.array([role.unit.scale if role.unit else 1.0 for role in roles])
    if len(set(scale.tolist())) == 1:
        return float(scale[0])
    if layout.kind in ("wide-by-column", "pairs"):
        return np.asarray(scale[cells.device], dtype=np.float64)
    column = {pulse: i for i, pulse in enumerate(layout.column_pulses)}
    return np.array([scale[column[int(pulse)]] for pulse in cells.pulse])


def _unit_by_row(cells: Cells, table: Table, layout: Layout, file: str) -> NDArray[np.float64]:
    """Size of the unit of each reading, from a column of units.

    Raises
    ------
    TraceFormatError
        A cell is no unit of the readings, or is empty beside a reading, or the unit of the readings is known to differ.
    """
    column, reading = layout.of("unit")[0], layout.values[0]
    codes, texts = table.codes(column.index)
    units = [parse_unit(text) for text in texts]
    codes = codes if cells.row is None else codes[cells.row]
    own = {role.unit.scale for role in layout.values if role.unit}
    known = np.array([u is not None and u.quantity == reading.role and own <= {u.scale} for u in units] + [False])
    wrong = np.flatnonzero(~known[codes] & ~np.isnan(cells.value))
    if wrong.size:
        row = int(wrong[0]) if cells.row is None else int(cells.row[wrong[0]])
        code = int(codes[wrong[0]])
        said = f"{texts[code][:60]!r}" if code >= 0 else "nothing"
        meant = f" [{reading.unit.symbol}]" if reading.unit else ""
        raise UnitDoubtError(
            f"{file}, {table.place_of(row)}: column {column.name!r} says {said}, which is not the unit of "
            f"{reading.name!r}{meant}, or not one of {reading.role} that we know",
            tuple(role.index for role in layout.values), (reading.role,),
        )
    return np.array([unit.scale if unit else np.nan for unit in units] + [np.nan])[codes]


def _read_voltage(
    cells: Cells, table: Table, layout: Layout, file: str, voltage_v: float | None
) -> NDArray[np.float64] | float:
    if voltage_v is not None:
        return voltage_v
    if roles := layout.of("read_voltage"):
        unit = roles[0].unit
        column = number_column(table, roles[0], file).values
        column = column if cells.row is None else column[cells.row]
        return np.asarray(column * (unit.scale if unit else 1.0))
    if layout.read_voltage_v is not None:
        return layout.read_voltage_v
    way = _one_voltage(table, layout)
    raise TraceFormatError(
        f"{file}: the readings are currents and nothing gives the read voltage; say it in volt, --read-voltage VOLT "
        f"(read_voltage_v=VOLT), or name its column, --map read_voltage=COLUMN{way}"
    )


def _at_lowest_voltage(readings: Readings, table: Table, layout: Layout, file: str) -> Readings:
    """Readings at a higher voltage than others after the same pulse are left out by name."""
    cells = readings.cells
    volts = np.broadcast_to(_read_voltage(cells, table, layout, file, None), cells.value.shape)
    higher = read_higher(cells, volts, readings.reason == Reason.GOOD)
    if not higher.any():
        return readings
    said = {i: f"at {volts[i]:.6g} V" for i in np.flatnonzero(higher).tolist()}
    reason = np.where(higher, np.int8(Reason.OTHER_VOLTAGE), readings.reason)
    return replace(readings, reason=reason, shown={**readings.shown, **said})


def _one_voltage(table: Table, layout: Layout) -> str:
    """Words with the map of the one column that holds the same voltage in every row, which may be that of the reads."""
    found: list[str] = []
    for role in layout.of("extra") if len(layout.values) == 1 else ():
        unit = parse_unit(split_name(role.name)[1])
        if not unit or unit.quantity != "read_voltage" or is_pulse_setting(role.name):
            continue
        column = table.numbers(role.index)
        values = column.values[np.isfinite(column.values)]
        if values.size and not column.text and np.ptp(values) == 0 < abs(values[0]) * unit.scale <= _LARGEST_READ_V:
            said = f"{role.name!r} ({values[0]:g} {unit.symbol})"
            found.append(f"--map read_voltage={role.index} if {said} is that of the reads")
    return f"; {found[0]}" if len(found) == 1 else ""


def _judge(cells: Cells, ohm: NDArray[np.float64], are_currents: bool) -> Readings:
    """The first reason that each reading gives not to use it."""
    raw = cells.value
    reason = np.zeros(len(raw), dtype=np.int8)
    shown = dict(cells.text)
    low, high = (float(raw.min()), float(raw.max())) if raw.size else (0.0, 0.0)  # NaN where one is
    if np.isnan(low):
        reason[np.isnan(raw)] = Reason.MISSING
        low, high = float(np.nanmin(raw, initial=0.0)), float(np.nanmax(raw, initial=0.0))
    reason[list(shown)] = Reason.TEXT
    if cells.device.size and cells.device.min() < 0:
        reason[cells.device < 0] = Reason.NO_DEVICE

    def mark(bad: NDArray[Any], why: Reason) -> None:
        chosen = bad & (reason == Reason.GOOD)
        reason[chosen] = why
        for i in np.flatnonzero(chosen).tolist():
            shown[i] = f"{raw[i]:.17g}" if np.isinf(raw[i]) else repr(float(raw[i]))

    if cells.pulse.dtype.kind == "f":
        mark(np.isnan(cells.pulse), Reason.NO_PULSE)
    if not (high < _CODE_FROM and low > -_CODE_FROM):
        mark((np.abs(raw) >= _CODE_FROM) & np.isfinite(raw), Reason.CODE)
    if are_currents:
        mark(_pinned(cells.device, np.abs(raw), reason == Reason.GOOD), Reason.COMPLIANCE)
    if not (low > 0 and high < np.inf if ohm is raw else ohm.size and ohm.min() > 0 and ohm.max() < np.inf):
        mark((raw == 0) | (ohm == 0), Reason.ZERO)
        mark(np.isinf(raw), Reason.INFINITE)
        mark(ohm < 0, Reason.NEGATIVE)
        mark(~np.isfinite(ohm), Reason.OVERFLOW)
    return Readings(cells, ohm, reason, shown)


def _pinned(device: NDArray[np.int64], current: NDArray[np.float64], good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Currents that the source meter held at its compliance: the largest, often exactly so, far above all others.

    A device that is pinned in most of its reads is short, which the screening says.
    """
    used = current[good & np.isfinite(current)]
    pinned = good & (current == used.max(initial=0.0))
    others = used[used < used.max(initial=0.0)]
    count = int(pinned.sum())
    if count < _PINNED_LEAST or count > _PINNED_SHARE * len(used) or used.max() < _PINNED_GAP * others.max(initial=0.0):
        return np.zeros(len(current), dtype=bool)
    known = device >= 0
    reads = np.bincount(device[known & good])
    hits = np.bincount(device[known & pinned], minlength=len(reads))
    mostly = 2 * hits > reads
    pinned[known] &= ~mostly[device[known]]
    return np.asarray(pinned)


def _refuse_undefined_logarithm(readings: Readings, layout: Layout, file: str) -> None:
    """Refuse a file where most readings are not positive, or more are negative than noise around zero can explain."""
    if not readings.reason.any():
        return
    negative = readings.reason == Reason.NEGATIVE
    low = (readings.reason == Reason.ZERO) | negative
    n_low, n_read = int(low.sum()), int(low.sum()) + int((readings.reason == Reason.GOOD).sum())
    if 2 * n_low > n_read or int(negative.sum()) > _MOST_NEGATIVE * n_read:
        value = layout.values[0].role
        example = readings.shown.get(int(np.flatnonzero(low)[0]), "")
        reversed_v = _reversed_voltage(readings, negative, layout) if negative.sum() == n_read else ""
        raise TraceFormatError(
            f"{file}: {n_low} of {n_read} readings of {value} are zero or negative (the first: {example}), so ln R is "
            f"undefined. {reversed_v or _LOOK_NORMALISED}"
        )


def _reversed_voltage(readings: Readings, negative: NDArray[np.bool_], layout: Layout) -> str:
    """What to say where all currents are negative at one read voltage: most likely that had the other sign."""
    unit = layout.values[0].unit
    if layout.values[0].role != "current" or len(layout.values) > 1 or unit is None:
        return ""
    volts = readings.resistance_ohm[negative] * readings.cells.value[negative] * unit.scale
    if not np.allclose(volts, volts[0], rtol=1e-6):
        return ""
    return (
        f"Currents and read voltage have opposite signs; if the voltage was {-volts[0]:.6g} V, say so: --read-voltage "
        f"{-volts[0]:.6g}"
    )


def _whole_pulses(readings: Readings) -> Readings:
    """Pulse numbers that are none become NaN, their readings named."""
    pulse = readings.cells.pulse
    if pulse.dtype.kind == "i" and (not pulse.size or (pulse.min() >= 0 and pulse.max() < _LARGEST_PULSE)):
        return readings
    with np.errstate(invalid="ignore"):
        wrong = ~np.isnan(pulse) & ((pulse < 0) | (pulse >= _LARGEST_PULSE) | (pulse != np.floor(pulse)))
    if not wrong.any():
        return readings
    return Readings(
        replace(readings.cells, pulse=np.where(wrong, np.nan, pulse)),
        readings.resistance_ohm,
        np.where(wrong, np.int8(Reason.BAD_PULSE), readings.reason),
        dict(readings.shown) | {int(i): f"{pulse[i]:g}" for i in np.flatnonzero(wrong)},
    )
