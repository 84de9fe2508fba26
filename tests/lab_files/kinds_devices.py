"""Rule 3: one device is one device, in however many files, exports and cycles."""

from __future__ import annotations

import shutil

import numpy as np

from tests.lab_files.bench import Bench, digits, kind, long_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import ALL, TEXT, write

SAME = r"(?i)same|identical|twice|copy|duplicate|again|equal|contain|continu|merged"
FILES = ("csv", "tab", "xlsx", "hdf5", "parquet", "tdms", "matlab")


@kind("the same file named twice", 3, FILES)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot))
    return Case([path, path], lot.readings())


@kind("a copy under another name", 3, FILES)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot))
    copy = path.with_name(bench.pick(["lot (1)", "Copy of lot", "backup"]) + path.suffix)
    shutil.copy(path, copy)
    return Case([path, copy], lot.readings(), says=SAME, refusal=SAME)


@kind("a copy in another format", 3, ("xlsx", "hdf5", "parquet", "tab"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    paths = [bench.write(long_sheet(lot)), write(bench.folder, "csv", long_sheet(lot), "export")]
    return Case(paths, lot.readings(), refusal=SAME)


def _part(lot: Lot, first: int, last: int) -> Lot:
    return Lot(lot.names, lot.pulses[first:last], lot.ohm[:, :, first:last])


@kind("a later export that contains an earlier one", 3, FILES)
def _(bench: Bench) -> Case:
    lot = bench.lot(k=80)
    cut = int(bench.rng.integers(40, 70))
    paths = [bench.write(long_sheet(_part(lot, 0, cut)), "monday"), bench.write(long_sheet(lot), "tuesday")]
    return Case(paths, lot.readings(), refusal=SAME)


@kind("a continuation in a second file", 3, FILES)
def _(bench: Bench) -> Case:
    lot = bench.lot(k=90)
    cut = int(bench.rng.integers(40, 50))
    paths = [bench.write(long_sheet(_part(lot, 0, cut)), "a"), bench.write(long_sheet(_part(lot, cut, 90)), "b")]
    return Case(paths, lot.readings(), refusal=SAME)


@kind("a continuation that repeats some pulses", 3, FILES)
def _(bench: Bench) -> Case:
    lot = bench.lot(k=90)
    paths = [bench.write(long_sheet(_part(lot, 0, 50)), "a"), bench.write(long_sheet(_part(lot, 45, 90)), "b")]
    return Case(paths, lot.readings(), refusal=SAME)


@kind("two lots that share their names", 3, FILES)
def _(bench: Bench) -> Case:
    lots = {stem: bench.lot(n=3, k=50) for stem in ("north", "south")}
    paths = [bench.write(long_sheet(lot), stem) for stem, lot in lots.items()]
    readings = {}
    for stem, lot in lots.items():
        readings |= lot.readings(lambda name, stem=stem: f"{stem}/{name}")
    return Case(paths, readings)


@kind("a file a device, named after it", 3, FILES)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    paths = []
    for i, name in enumerate(lot.names):
        one = Lot([name], lot.pulses, lot.ohm[i : i + 1])
        paths.append(bench.write(long_sheet(one, device=""), name))
    return Case(paths, lot.readings())


@kind("cycles of several devices", 3, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3, k=40, cycles=3)
    return Case(bench.write(long_sheet(lot, cycle=bench.pick(["cycle", "Cycle", "cycle number"]))), lot.readings())


@kind("cycles of one device that the file does not name", 3, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=1, k=40, cycles=6)
    lot = Lot(["*"], lot.pulses, lot.ohm)
    return Case(bench.write(long_sheet(lot, device="", cycle="cycle")), lot.readings())


@kind("cycles told by a counter that starts again", 3, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2, k=40, cycles=3)
    return Case(bench.write(long_sheet(lot)), lot.readings())


@kind("cycles wide, a column a cycle", 3, (*TEXT, "xlsx", "parquet", "tdms", "matlab", "hdf5"))
def _(bench: Bench) -> Case:
    """Columns called cycle are cycles of one device, never devices."""
    lot = bench.lot(n=1, k=50, cycles=5)
    word = bench.pick(["cycle", "Cycle ", "cyc_", "run"])
    sheet = long_sheet(Lot(["x"], lot.pulses, lot.ohm[:, :1]), device="")
    sheet.names = ["pulse", *(f"{word}{c + 1}" for c in range(5))]
    sheet.columns = [sheet.columns[0], *([float(ohm) for ohm in lot.ohm[0, c]] for c in range(5))]
    return Case(bench.write(sheet), Lot(["*"], lot.pulses, lot.ohm).readings())


@kind("records of a source meter", 3, ("csv",))
def _(bench: Bench) -> Case:
    """`Item,Smu1.V[1][1],...`: every record is a cycle of one device, and `Item` numbers its points."""
    lot = bench.lot(n=1, k=45, cycles=3)
    names = ["Item"]
    columns: list[list[object]] = [list(range(1, lot.k + 1))]
    for c in range(3):
        names += [f"Smu1.Time[{c + 1}][1]", f"Smu1.V[{c + 1}][1]", f"Smu1.I[{c + 1}][1]"]
        times = [0.01 * k for k in range(lot.k)]
        columns += [times, [0.2] * lot.k, [float(f"{0.2 / ohm:.8g}") for ohm in lot.ohm[0, c]]]
    lines = [",".join(names) + ","]
    lines += [",".join(str(column[k]) for column in columns) + "," for k in range(lot.k)]
    path = bench.folder / "smu.csv"
    path.write_text("\r\n".join(lines) + "\r\n")
    numbered = Lot(["*"], np.arange(1, lot.k + 1), lot.ohm).readings()
    return Case(path, numbered, ways=[numbered, Lot(["*"], np.arange(lot.k), lot.ohm).readings()])


@kind("one device in kohm and in ohm", 3, ("csv", "xlsx", "parquet"))
def _(bench: Bench) -> Case:
    """Two exports of one measurement in two units are one measurement."""
    lot = bench.lot()
    paths = [
        bench.write(long_sheet(lot), "ohm"),
        bench.write(long_sheet(lot, "resistance_kohm", digits(1e-3)), "kohm"),
    ]
    return Case(paths, lot.readings(), refusal=SAME)
