"""Rule 2: a reading that cannot be a resistance, and devices that die midway."""

from __future__ import annotations

import h5py
import numpy as np

from tests.lab_files.bench import Bench, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Key, Lot, Readings, six_digits
from tests.lab_files.sheet import ALL, EXCEL, TEXT, Sheet

CODES = (9.9e37, 9.91e37, 9.91e37, 1e38, 1.99999e101, 9.96921e36, 3e11)
OVERFLOW = r"(?i)overflow|fill|error code|out of range|open|not a resistance|compliance"


def hits(bench: Bench, lot: Lot, count: int = 5, first: int = 1) -> set[Key]:
    """A few readings, no two next to each other."""
    chosen: set[Key] = set()
    while len(chosen) < count:
        i, k = int(bench.rng.integers(lot.n)), int(bench.rng.integers(first, lot.k))
        if not any((lot.names[i], 0, int(lot.pulses[j])) in chosen for j in range(max(k - 2, 0), min(k + 3, lot.k))):
            chosen.add((lot.names[i], 0, int(lot.pulses[k])))
    return chosen


def less(lot: Lot, gone: set[Key]) -> Readings:
    return {key: ohm for key, ohm in lot.readings().items() if key not in gone}


def spoil(lot: Lot, sheet: Sheet, gone: set[Key], value: object) -> None:
    """Put `value` in the last column of a long table where readings are gone."""
    for row, (i, c, k) in enumerate(lot.rows()):
        if (lot.names[i], c, int(lot.pulses[k])) in gone:
            sheet.columns[-1][row] = value(lot.ohm[i, c, k]) if callable(value) else value


@kind("overflow codes", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot)
    sheet = long_sheet(lot)
    spoil(lot, sheet, gone, bench.pick(CODES))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, OVERFLOW))


@kind("overflow codes, several in a row and at the end", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    ends = {(lot.names[0], 0, int(p)) for p in lot.pulses[-3:]} | {(lot.names[1], 0, int(p)) for p in lot.pulses[10:14]}
    sheet = long_sheet(lot)
    spoil(lot, sheet, ends, bench.pick(CODES))
    return Case(bench.write(sheet), less(lot, ends), dict.fromkeys(ends, OVERFLOW))


@kind("overflow codes, negative", 2, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot)
    sheet = long_sheet(lot)
    spoil(lot, sheet, gone, -bench.pick(CODES[:-1]))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, OVERFLOW + "|negative|not a number"))


@kind("overflow codes at pulse 0", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = {(name, 0, 0) for name in lot.names[:2]}
    sheet = long_sheet(lot)
    spoil(lot, sheet, gone, bench.pick(CODES))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, OVERFLOW))


@kind("overflow codes in a wide table", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, first=0)
    code = bench.pick(CODES)
    sheet = wide_sheet(lot, lot.names)
    for name, _, pulse in gone:
        sheet.columns[1 + lot.names.index(name)][pulse] = code
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, OVERFLOW))


def _currents(bench: Bench, lot: Lot, gone: set[Key], value: object) -> Sheet:
    volt = bench.pick([0.1, 0.2, -0.1])
    sheet = long_sheet(lot, bench.pick(["I_read [A]", "current (A)"]), inverse(volt))
    spoil(lot, sheet, gone, value)
    sheet.names.append("V_read [V]")
    sheet.columns.append([volt] * len(sheet.columns[0]))
    return sheet


@kind("overflow codes as currents", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, first=0)
    sheet = _currents(bench, lot, gone, bench.pick([9.9e37, 9.91e37, 1e38, 1.99999e101]))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, OVERFLOW))


@kind("overflow codes as conductances", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, first=0)
    sheet = long_sheet(lot, "conductance [uS]", inverse(1e6))
    spoil(lot, sheet, gone, bench.pick([9.9e37, 9.91e37, 1e38]))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, OVERFLOW))


@kind("currents pinned at the compliance", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=5e4)
    gone = hits(bench, lot)
    pinned = bench.pick([1e-3, 5e-4, 1e-2])
    sheet = _currents(bench, lot, gone, lambda ohm: pinned)
    volt = sheet.columns[-1][0]
    sheet.columns[-2] = [abs(cell) * (1 if volt > 0 else -1) for cell in sheet.columns[-2]]
    words = r"(?i)compliance|pinned|neighbour|glitch|decade"
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, words))


@kind("error texts among the readings", 2, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, 3)
    sheet = long_sheet(lot)
    spoil(lot, sheet, gone, bench.pick(["OVLD", "Overflow", "OL", "NaN", "#N/A", "inf", "---", "Compliance"]))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, "."))


@kind("zeros and negative readings", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, 3)
    sheet = long_sheet(lot)
    spoil(lot, sheet, gone, bench.pick([0.0, -1.0, -999.0]))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, "(?i)zero|negative"))


@kind("fill values in an attribute", 2, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, 4)
    fill = bench.pick([99999.0, -9999.0, 1e20])
    path = bench.folder / "filled.h5"
    with h5py.File(path, "w") as file:
        for i, name in enumerate(lot.names):
            values = lot.ohm[i, 0].copy()
            values[[k for k in range(lot.k) if (name, 0, k) in gone]] = fill
            group = file.create_group(name)
            group["pulse"] = lot.pulses
            dataset = group.create_dataset("resistance", data=values)
            dataset.attrs["units"] = "ohm"
            dataset.attrs[bench.pick(["_FillValue", "missing_value"])] = fill
    return Case(path, less(lot, gone), dict.fromkeys(gone, r"(?i)fill|missing|negative|overflow"))


@kind("glitches of single reads", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    gone = hits(bench, lot, 3, first=3)
    gone = {key for key in gone if key[2] < lot.pulses[-3]}
    factor = bench.pick([0.1, 10.0, 0.03, 40.0])
    sheet = long_sheet(lot)
    spoil(lot, sheet, gone, lambda ohm: float(f"{factor * ohm:.6g}"))
    return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, r"(?i)glitch|neighbour|decade|outlier|spike"))


def _dying(bench: Bench, words: str, after: object) -> Case:
    """One device of the lot ends midway; the reads just around the end may be used or left out."""
    lot = bench.lot(n=4, k=80)
    at = int(bench.rng.integers(40, 65))
    i = int(bench.rng.integers(lot.n))
    ohm = lot.ohm.copy()
    ohm[i, 0, at:] = after(ohm[i, 0, at:])
    told = Lot(lot.names, lot.pulses, ohm)
    dead = {(lot.names[i], 0, k) for k in range(at, lot.k)}
    border = {(lot.names[i], 0, k) for k in range(at - 2, at + 1)} if ohm[i, 0, at] == lot.ohm[i, 0, at] else set()
    return Case(
        bench.write(long_sheet(told)), less(lot, dead - border), dict.fromkeys(dead - border, words), border,
        {lot.names[i]: words},
    )  # fmt: skip


@kind("a device that opens midway", 2, ALL)
def _(bench: Bench) -> Case:
    level = bench.pick([2e8, 1e9, 5e10])
    return _dying(bench, "(?i)open", lambda ohm: np.round(level * np.exp(0.3 * bench.rng.standard_normal(len(ohm)))))


@kind("a device that shorts midway", 2, ALL)
def _(bench: Bench) -> Case:
    level = bench.pick([5.0, 12.0, 40.0])
    noise = 0.02 * bench.rng.standard_normal(80)
    return _dying(bench, "(?i)short", lambda ohm: six_digits(level * np.exp(noise[: len(ohm)])))


@kind("a device that sticks midway", 2, ALL)
def _(bench: Bench) -> Case:
    return _dying(bench, "(?i)stuck|stick|padded|copies", lambda ohm: np.full(len(ohm), ohm[0]))


@kind("a device that is open from the start", 2, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    ohm = lot.ohm.copy()
    ohm[1] = np.round(4e9 * np.exp(0.5 * bench.rng.standard_normal(lot.k)))
    gone = {(lot.names[1], 0, k) for k in range(lot.k)}
    path = bench.write(long_sheet(Lot(lot.names, lot.pulses, ohm)))
    return Case(path, less(lot, gone), dict.fromkeys(gone, "(?i)open|glitch"))
