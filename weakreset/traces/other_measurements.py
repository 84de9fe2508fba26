"""Files of other measurements: endurance, retention, sweeps, potentiation beside depression; named for what they are.

A weak-RESET run holds a read after every (few) pulses since SET. What holds something else is refused with its name and
with what could be done, because a row counter would make numbers of it that look like a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.column_names import without_unit
from weakreset.traces.column_role import VALUES, ColumnRole
from weakreset.traces.contract import Table
from weakreset.traces.units import parse_unit, split_name
from weakreset.traces.vocabulary import normalise, role_of

__all__ = ["refuse_by_names", "refuse_uncounted"]

_ON = frozenset(("on", "ron", "lrs", "rlrs", "low"))
_OFF = frozenset(("off", "roff", "hrs", "rhrs", "high"))
_READING = frozenset(
    ("r", "g", "i", "on", "off", "ron", "roff", "lrs", "hrs", "rlrs", "rhrs", "low", "high", "resistance", "state",
     "conductance", "current", "ion", "ioff", "gon", "goff", "read", "res", "cond", "median", "mean")
)  # fmt: skip
_OPPOSITES = frozenset(
    frozenset(pair)
    for pair in (
        ("set", "reset"), ("raw", "corrected"), ("raw", "corr"), ("raw", "filtered"), ("before", "after"),
        ("pre", "post"), ("fwd", "bwd"), ("forward", "backward"), ("forward", "reverse"), ("2pt", "4pt"), ("2w", "4w"),
        ("pos", "neg"), ("positive", "negative"), ("measured", "calculated"), ("meas", "calc"), ("meas", "sim"),
        ("measured", "simulated"), ("ac", "dc"),
    )
)  # fmt: skip
_SEVERAL = _READING.union(*_OPPOSITES, ("rset", "rreset", "gset", "greset"))
_MOST_READINGS = 6  # columns whose names say readings of one device: more are devices
_UP = frozenset(("ltp", "potentiation", "pot", "potentiate"))
_DOWN = frozenset(("ltd", "depression", "dep", "depress"))
_TIME = frozenset(("time", "timestamp", "t", "elapsed", "seconds", "sec", "date", "hours", "minutes", "retention"))
_VOLTAGE = frozenset(("v", "voltage", "vcell", "av", "bias", "vd", "vds", "vg", "vin", "vsweep", "vforce", "v1", "vbe"))
_TIME_UNITS = frozenset(("s", "ms", "us", "min", "h", "hours"))
_TEMPERATURES = frozenset(("k", "c", "°c", "degc", "deg c", "celsius", "kelvin", "°f"))
_ALTERNATING = 0.5  # of the rows differ from the one before
_MOST_SETTINGS = 3  # read, RESET and SET
_LARGEST_READ_V = 0.5  # pulses are larger, reads seldom are
_FEW_LEVELS = 3  # a sweep has many voltages, a pulse train few


def _words(name: str) -> list[str]:
    return normalise(without_unit(name)).split()


def refuse_by_names(table: Table, column_map: ColumnMap, file: str) -> None:
    """Refuse tables whose columns are named after another measurement; with a map, the user has chosen.

    Raises
    ------
    TraceFormatError
        It is an endurance table, or holds potentiation beside depression.
    """
    if not table.has_header or column_map.of(*VALUES):
        return
    words = [_words(name) for name in table.names]
    _refuse_endurance(table, words, file)
    _refuse_two_readings(table, words, file)
    _refuse_two_directions(table, words, file)


def _refuse_endurance(table: Table, words: list[list[str]], file: str) -> None:
    if any(word in ("pulse", "pulses") for name in words for word in name):
        return
    on = [i for i, name in enumerate(words) if _ON.intersection(name) and _READING.issuperset(name)]
    off = [i for i, name in enumerate(words) if _OFF.intersection(name) and _READING.issuperset(name)]
    if not on or not off:
        return
    raise TraceFormatError(
        f"{file}: an endurance table: {table.names[on[0]]!r} and {table.names[off[0]]!r} are read once a cycle, after "
        "a full SET and a full RESET. It holds no reads between the pulses of a weak-RESET run, so there is nothing to "
        "fit; save the reads after every RESET pulse, with their pulse number"
    )


def _refuse_two_readings(table: Table, words: list[list[str]], file: str) -> None:
    """`R_set` beside `R_reset`, `R_raw` beside `R_corrected`: two readings of one device, not two devices."""
    several = [(i, set(name)) for i, name in enumerate(words) if name and _SEVERAL.issuperset(name)]
    if not 2 <= len(several) <= _MOST_READINGS:
        return
    for (i, one), (j, other) in combinations(several, 2):
        if one & other and (pair := (one - other) | (other - one)) in _OPPOSITES and len(one - other) == 1:
            ways = " or ".join(f"--map {_quantity_of(table.names[k])}={k}" for k in (i, j))
            raise TraceFormatError(
                f"{file}: {table.names[i]!r} and {table.names[j]!r} are two readings of one device "
                f"({' and '.join(sorted(pair))}), not two devices. Choose one: {ways}"
            )


def _quantity_of(name: str) -> str:
    unit = parse_unit(split_name(name)[1])
    return unit.quantity if unit else role_of(name) or "resistance"


def _refuse_two_directions(table: Table, words: list[list[str]], file: str) -> None:
    up = [i for i, name in enumerate(words) if _UP.intersection(name)]
    down = [i for i, name in enumerate(words) if _DOWN.intersection(name)]
    if not up or not down:
        return
    ways = [way for members, falls in ((down, False), (up, True)) if (way := _half(table, members, falls))]
    raise TraceFormatError(
        f"{file}: potentiation (LTP) beside depression (LTD): two runs in opposite directions. Depression is the "
        f"weak-RESET run (its resistance rises), potentiation a gradual SET. Read one of them: {'; '.join(ways)}"
    )


def _half(table: Table, members: Sequence[int], falls: bool) -> str:
    """How to read the columns of one direction."""
    from weakreset.traces.vocabulary import role_of

    stems = {i: normalise(" ".join(w for w in _words(table.names[i]) if w not in _UP | _DOWN)) for i in members}
    quantity = {i: role_of(stem) for i, stem in stems.items()}
    values = [i for i in members if quantity[i] in VALUES]
    if not values:
        return ""
    word = quantity[values[0]]
    return f"{'potentiation' if falls else 'depression'} with --map pulse=@row,{word}={values[0]}"


def refuse_uncounted(columns: Sequence[ColumnRole], table: Table, file: str) -> None:
    """Refuse readings against time or against a voltage that is swept, where no column counts pulses.

    Raises
    ------
    TraceFormatError
        It is a retention (or other time) record, or a sweep.
    """
    if not table.has_header:
        return
    refuse_alternating(columns, table, file)
    time = [c for c in columns if c.role not in VALUES and _is_time(c.name)]
    volt = [c for c in columns if c.role not in VALUES and _is_voltage(c.name) and _levels(table, c) > _FEW_LEVELS]
    if volt:
        raise TraceFormatError(
            f"{file}: a sweep of voltage: {volt[0].name!r} takes {_levels(table, volt[0])} values and no column counts "
            "pulses. A weak-RESET run is read at one voltage after each of many equal pulses; if this one is, name the "
            "column that counts them with --map pulse=COLUMN"
        )
    if time:
        raise TraceFormatError(
            f"{file}: a retention or time record: readings against {time[0].name!r}, and no column counts pulses. "
            "Drift in time is not drift by pulses; if pulses were applied between the reads, add a column of their "
            "number, or name it with --map pulse=COLUMN"
        )


def refuse_alternating(columns: Sequence[ColumnRole], table: Table, file: str) -> None:
    """Refuse a table in which rows of pulses and rows of reads alternate, told apart by their voltage alone.

    Raises
    ------
    TraceFormatError
        With the line that counts the pulses, where all of them have one sign.
    """
    for column in columns:
        if column.role in VALUES or not _is_voltage(column.name.replace("applied", "")):
            continue
        values = table.numbers(column.index).values
        finite = values[np.isfinite(values)]
        levels = np.unique(finite)
        changes = np.count_nonzero(np.diff(finite)) > _ALTERNATING * len(finite)
        size = np.abs(levels)
        if not changes or not 2 <= len(levels) <= _MOST_SETTINGS or not 0 < size.min() <= _LARGEST_READ_V < size.max():
            continue
        low, pulses = float(size.min()), levels[size > size.min()]
        shown = ", ".join(f"{level:g}" for level in levels)
        device = next((role.name for role in columns if role.role == "device"), "")
        raise TraceFormatError(
            f"{file}: {column.name!r} takes {shown} in turns: rows of pulses beside rows of reads, and no column says "
            f"which. {_counted_line(column.name, device, low, pulses)}"
        )


def _counted_line(name: str, device: str, low: float, pulses: NDArray[np.float64]) -> str:
    """How to count the pulses that such a column shows."""
    if np.any(np.sign(pulses) != np.sign(pulses[0])) or any(mark in name + device for mark in "\"'`$\\!"):
        return "Add a column `operation` that says SET, RESET or READ in every row"
    counted = f"(v.abs() > {low:g}).groupby(t['{device}']).cumsum()" if device else f"(v.abs() > {low:g}).cumsum()"
    return (
        f"If the others are RESET pulses, this counts them: python -c \"import pandas; t = pandas.read_csv('FILE'); "
        f"v = t['{name}']; t['pulse'] = {counted}; t['V_read (V)'] = v; t[v.abs() <= {low:g}].drop(columns=['{name}'])"
        ".to_csv('FILE.csv', index=False)\""
    )


def _is_time(name: str) -> bool:
    words = _words(name)
    if split_name(name)[1].lower() in _TEMPERATURES:
        return False
    unit = PurePath(name).name.rstrip(")] ").rsplit("(", 1)[-1].rsplit("[", 1)[-1].strip()
    return bool(_TIME.intersection(words)) or (unit in _TIME_UNITS and unit != name.strip())


def _is_voltage(name: str) -> bool:
    words = _words(name)
    return bool(words) and (words[0] in _VOLTAGE or words[-1] == "voltage") and "pulse" not in words


def _levels(table: Table, column: ColumnRole) -> int:
    values = table.numbers(column.index).values
    return len(np.unique(np.round(values[np.isfinite(values)], 9)))
