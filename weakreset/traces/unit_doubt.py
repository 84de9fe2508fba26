"""Units that nothing says: assumed where the values agree with it, asked for where they do not, with maps that work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError, WeakResetError
from weakreset.traces.assemble import find_traces
from weakreset.traces.column_map import ColumnMap, parse_map
from weakreset.traces.contract import Table
from weakreset.traces.doubts import UnitDoubtError
from weakreset.traces.find_files import file_stem
from weakreset.traces.layout import Layout, find_layout, runs_of
from weakreset.traces.readings import Readings, find_readings
from weakreset.traces.screening import screen
from weakreset.traces.trace import Reason
from weakreset.traces.units import PLAUSIBLE_OHM, PLAUSIBLE_SIEMENS, QUANTITIES, Unit, unit_in_words

__all__ = ["assumed_unit", "check_assumed", "with_ways"]

_LARGEST_OFFERED_OHM = 1e7  # 10 Mohm: above, another unit is likelier than such devices
_LEAST_READINGS = 30  # a median of fewer says nothing of a unit
_MOST_READINGS = 100_000  # evenly taken: the median does not need all
_CANDIDATES = {
    "resistance": ("ohm", "kohm", "Mohm", "Gohm"),
    "conductance": ("S", "mS", "uS", "nS"),
    "current": ("A", "mA", "uA", "nA"),
}
_NAMES_SHOWN = 3  # as many as fit in a message
_BY_NAME = 0.5  # of a column that was taken for its name, not for its numbers
_THOUSANDS = re.compile(r"^[1-9]\d{0,2}[.,]\d{3}$")
_LEAST_CELLS = 5  # that all look like 41.310: fewer may be chance


def assumed_unit(layout: Layout) -> str:
    """Words on a unit that no file says, such as "unit assumed: 'R' gives none, taken as ohm"; '' where it is known."""
    if layout.of("unit"):
        return ""
    unsaid = [role for role in layout.values if role.unit is None]
    if not unsaid:
        return ""
    names = ", ".join(repr(role.name) for role in unsaid[:_NAMES_SHOWN]) + (", ..." if unsaid[_NAMES_SHOWN:] else "")
    return f"unit assumed: {names} give{'s' if len(unsaid) == 1 else ''} none, taken as {QUANTITIES[unsaid[0].role]}"


def check_assumed(
    tables: Sequence[Table],
    layouts: Sequence[Layout],
    readings: Sequence[Readings],
    column_map: ColumnMap,
    read_voltage_v: float | None,
    file: str,
) -> None:
    """Refuse readings whose assumed unit gives no plausible resistance: a median outside 100 ohm to 100 Mohm.

    And those whose mark may divide thousands as well as decimals, where only thousands would be plausible. Fewer than
    30 readings are not judged for their unit, since no device is fitted from them.

    Raises
    ------
    TraceFormatError
        With maps that name the unit and have been tried on the file.
    """
    for table, layout, found in zip(tables, layouts, readings, strict=True):
        if doubt := _thousands(table, layout, found, file):
            raise with_ways(doubt, tables, column_map, read_voltage_v, file)
    unsaid = [i for i, layout in enumerate(layouts) if assumed_unit(layout)]
    if not unsaid:
        return
    if not column_map.of(*_CANDIDATES):
        for i in unsaid:
            if doubt := _hint(tables[i], layouts[i], file):
                raise with_ways(doubt, tables, column_map, read_voltage_v, file)
    good = np.concatenate([_some_good(readings[i]) for i in unsaid])
    if len(good) < _LEAST_READINGS:
        return
    median = float(np.median(good))
    if PLAUSIBLE_OHM[0] <= median <= PLAUSIBLE_OHM[1]:
        return
    layout = layouts[unsaid[0]]
    role = layout.values[0].role
    siemens = role == "resistance" and PLAUSIBLE_SIEMENS[0] <= median <= PLAUSIBLE_SIEMENS[1]
    looks = ", and look like siemens" if siemens else ""
    named = layout.values[0].confidence > _BY_NAME
    quantities = (role,) if named and not looks else ("conductance", role) if looks else ("resistance", "conductance")
    doubt = UnitDoubtError(
        f"{file}: no unit is given for {layout.values[0].name!r}, and its readings, taken as {QUANTITIES[role]}, have "
        f"a median of {median:.3g} ohm, which is not plausible{looks}",
        tuple(item.index for item in layout.values), quantities,
    )
    raise with_ways(doubt, tables, column_map, read_voltage_v, file)


def _hint(table: Table, layout: Layout, file: str) -> UnitDoubtError | None:
    """A doubt where a name around the readings holds a unit other than the one assumed.

    It may be theirs, or that of a target or a series resistor (`10 kohm`): only the user knows.
    """
    role = layout.values[0].role
    places = {"name of the file": file_stem(Path(file)), **table.hints}
    places.pop("table", None)
    for column in layout.of("extra"):
        if _is_empty(table, column.index):
            places[f"header over empty cells, {column.name[:60]!r},"] = column.name
    for place, text in places.items():
        unit = unit_in_words(text, role)
        if isinstance(unit, Unit) and unit.quantity == role and unit.scale != 1.0:
            return UnitDoubtError(
                f"{file}: no unit is given for {layout.values[0].name!r}, but the {place} says {unit.symbol}",
                tuple(item.index for item in layout.values), (role,),
            )
    return None


def _is_empty(table: Table, index: int) -> bool:
    return not any(index < len(row) and row[index].strip() for row in table.sample)


def _some_good(readings: Readings) -> NDArray[np.float64]:
    """Resistances of good readings, of very many as many as a median needs."""
    some = slice(None, None, max(1, len(readings.reason) // _MOST_READINGS))
    return np.asarray(readings.resistance_ohm[some][readings.reason[some] == Reason.GOOD])


def _thousands(table: Table, layout: Layout, readings: Readings, file: str) -> UnitDoubtError | None:
    """A doubt where every reading looks like `41.310`, is implausible so, and would be plausible as 41310."""
    index, quantity = layout.values[0].index, layout.values[0].role
    cells = {row[index].strip() for row in table.sample if index < len(row)} - {""}
    if quantity != "resistance" or len(cells) < _LEAST_CELLS or not all(map(_THOUSANDS.match, cells)):
        return None
    median = float(np.median(good)) if (good := _some_good(readings)).size else 0.0
    if PLAUSIBLE_OHM[0] <= median or not PLAUSIBLE_OHM[0] <= 1e3 * median <= PLAUSIBLE_OHM[1]:
        return None
    cell = min(cells)
    whole, decimals = re.sub(r"[.,]", "", cell), cell.replace(",", ".")
    return UnitDoubtError(
        f"{file}: {cell!r} in column {layout.values[0].name!r} may be {whole} (a mark of thousands) or "
        f"{float(decimals):g} (decimals), and as decimals the readings have a median of {median:.3g} ohm, which is not "
        "plausible. Export without thousands marks",
        tuple(item.index for item in layout.values), (quantity,),
    )


def with_ways(
    doubt: UnitDoubtError, tables: Sequence[Table], column_map: ColumnMap, read_voltage_v: float | None, file: str
) -> TraceFormatError:
    """The refusal with the maps that name a unit and give plausible resistances of these tables."""
    ways = []
    one_header = len({table.names for table in tables}) == 1  # a map holds for all tables of a file
    others = tuple(q for q in _CANDIDATES if q not in doubt.quantities) if doubt.quantities != ("current",) else ()
    for quantities in (doubt.quantities, others):
        for quantity in quantities:
            for unit in _CANDIDATES[quantity]:
                text = _map_text(column_map, quantity, f"{runs_of(list(doubt.columns))}[{unit}]")
                median = _median(tables, parse_map(text), read_voltage_v, file)
                if one_header and median is not None and PLAUSIBLE_OHM[0] <= median <= _LARGEST_OFFERED_OHM:
                    ways.append(f"--map {text} (median {median:.3g} ohm)")
        if ways:
            break
    role = doubt.quantities[0]
    entry = f"{role}={runs_of(list(doubt.columns))}[{QUANTITIES[role]}]"
    advice = f"say the unit: {' or '.join(ways)}" if ways else "say the unit in brackets behind the column of the map"
    return TraceFormatError(f"{doubt}. If the unit is known, {advice}; {entry} in the map if it is {QUANTITIES[role]}")


def _map_text(column_map: ColumnMap, quantity: str, value: str) -> str:
    kept = [entry.text for entry in column_map.entries if entry.role not in _CANDIDATES]
    return ",".join([*kept, f"{quantity}={value}"])


def _median(tables: Sequence[Table], column_map: ColumnMap, voltage_v: float | None, file: str) -> float | None:
    """Median resistance of the devices that this map gives and that pass screening; None where it gives none."""
    kept: list[NDArray[np.float64]] = []
    try:
        for table in tables:
            layout = find_layout(table, column_map, file)
            readings = find_readings(table, layout, file, "", voltage_v)
            kept += [trace.resistance_ohm for trace in screen(find_traces(readings, table, layout, file))]
    except WeakResetError:
        return None
    return float(np.median(np.concatenate(kept))) if kept else None
