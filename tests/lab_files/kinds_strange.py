"""Rules 1 to 6: habits of laboratories that were tried by hand: rows of several read voltages, statistics, shares."""

from __future__ import annotations

import numpy as np

from tests.lab_files.bench import Bench, digits, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import TEXT, Sheet, text_of

COMMON = (*TEXT, "xlsx")


for _name, _unit in (("Value", "Unit"), ("Reading", "Units"), ("Messwert", "unit")):

    @kind(f"{_name} beside a column of units", 1, COMMON)
    def _(bench: Bench, name: str = _name, unit: str = _unit) -> Case:
        lot = bench.lot()
        sheet = long_sheet(lot, name)
        kilo = [bool(i % 2) for i in range(len(sheet.columns[-1]))]
        sheet.columns[-1] = [digits(1e-3)(r) if k else r for r, k in zip(sheet.columns[-1], kilo, strict=True)]
        sheet.names.append(unit)
        sheet.columns.append(["kOhm" if k else "Ohm" for k in kilo])
        return Case(bench.write(sheet), lot.readings())


@kind("reads at two voltages after each pulse", 2, (*COMMON, "parquet"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    volts, scale = (0.1, 0.2), (1.0, 1.13)
    rows = [
        (lot.names[i], int(lot.pulses[k]), v, float(f"{v / (s * lot.ohm[i, c, k]):.9g}"))
        for i, c, k in lot.rows() for v, s in zip(volts, scale, strict=True)
    ]
    sheet = Sheet(["device", "pulse", "V_read (V)", "I_read (A)"], [list(column) for column in zip(*rows, strict=True)])
    return Case(bench.write(sheet), lot.readings(), says="higher voltage")


@kind("currents in columns at two read voltages", 2, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "I(0.1V)", lambda ohm: float(f"{0.1 / ohm:.9g}"))
    sheet.names.append("I(0.2V)")
    sheet.columns.append([1.9 * current for current in sheet.columns[-1]])
    return Case(bench.write(sheet), lot.readings(), refusal="--map current=2")


@kind("mean and std among the devices", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    both = Lot([*lot.names, "mean", "std"], lot.pulses, np.concatenate([lot.ohm, lot.ohm[:1] * 1.01, lot.ohm[:1] / 9]))
    truth = lot.readings()
    more = {key: "computed" for key in both.readings() if key not in truth}
    return Case(bench.write(long_sheet(both)), truth, left_out=more)


@kind("mean and std behind a row a device", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    columns = [lot.names, *lot.ohm[:, 0].T.tolist(), lot.ohm[:, 0].mean(1).tolist(), lot.ohm[:, 0].std(1).tolist()]
    sheet = Sheet(["pulse", *map(str, lot.pulses.tolist()), "mean", "std"], columns)
    return Case(bench.write(sheet), lot.readings())


for _name, _made in (("log10(R)", np.log10), ("lnR", np.log), ("log R", np.log10)):

    @kind(f"logarithms called {_name}", 1, (*COMMON, "hdf5"))
    def _(bench: Bench, name: str = _name, made: object = _made) -> Case:
        sheet = long_sheet(bench.lot(), name, lambda ohm: float(f"{made(ohm):.9g}"))
        return Case(bench.write(sheet), None, must_refuse="logarithm")


for _name in ("R/R0", "R_norm", "dR (%)", "R/R0 (%)"):

    @kind(f"shares called {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        return Case(bench.write(long_sheet(bench.lot(), name, digits(1e-4))), None, must_refuse="no resistances")


@kind("shares beside the R0 of each device", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    r0 = [float(lot.ohm[i, c, 0]) for i, c, _ in lot.rows()]
    sheet = long_sheet(lot, "R/R0", digits(1e-4))
    sheet.names.insert(2, "R0 (ohm)")
    sheet.columns.insert(2, r0)
    return Case(bench.write(sheet), None, must_refuse="shares of 'R0")


@kind("shares in cells", 1, TEXT)
def _(bench: Bench) -> Case:
    sheet = long_sheet(bench.lot(), "R", lambda ohm: f"{ohm / 100:.2f}%")
    return Case(bench.write(sheet), None, must_refuse="share")


@kind("4k7", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=2e4)
    rounded = Lot(lot.names, lot.pulses, np.round(lot.ohm / 1e3, 3) * 1e3)
    sheet = long_sheet(rounded, "R", lambda ohm: f"{ohm / 1e3:.3f}".replace(".", "k"))
    return Case(bench.write(sheet), rounded.readings())


@kind("zero bytes at the end", 5, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot))
    path.write_bytes(path.read_bytes() + bytes(512))
    return Case(path, lot.readings(), says="zero bytes")


@kind("a line of dashes below the header", 5, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot))
    head, rest = path.read_text().split("\n", 1)
    path.write_text(f"{head}\n{'-' * 30}\n{rest}")
    return Case(path, lot.readings())


@kind("pulse numbers with two digits", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(k=300, n=3)
    sheet = long_sheet(lot)
    sheet.columns[1] = [float(f"{pulse:.1e}") for pulse in sheet.columns[1]]
    return Case(bench.write(sheet), lot.readings(), refusal="rounded")


@kind("devices at two temperatures", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=4)
    sheet = long_sheet(lot, **{"T (degC)": [25 if i < 2 else 85 for i, _, _ in lot.rows()]})
    return Case(bench.write(sheet), lot.readings(), says="--where")


@kind("rows of pulses and of reads told by their voltage", 6, ("csv", "xlsx"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    rows = []
    for i, c, k in lot.rows():
        rows += [(lot.names[i], -1.1, -3e-5)] if k else []
        rows.append((lot.names[i], 0.1, float(f"{0.1 / lot.ohm[i, c, k]:.9g}")))
    sheet = Sheet(["device", "V_applied (V)", "I (A)"], [list(column) for column in zip(*rows, strict=True)])
    return Case(bench.write(sheet), None, must_refuse="in turns")


@kind("a comma in the names of devices", 5, ("csv",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot))
    path.write_text(path.read_text().replace("\nD", "\ndie 3,D"))
    return Case(path, None, must_refuse="holds commas")


def _map(bench: Bench, columns: list[str], rows: list[str]) -> Sheet:
    ohm = np.exp(9 + 0.1 * bench.rng.standard_normal((len(columns), len(rows))))
    return Sheet(["", *columns], [rows, *(list(map(float, column)) for column in np.round(ohm, 1))])


@kind("a map of a wafer", 6, COMMON)
def _(bench: Bench) -> Case:
    sheet = _map(bench, [str(i) for i in range(-4, 5)], [str(i) for i in range(-4, 5)])
    sheet.above = [] if bench.rng.random() < 0.5 else [["Wafer map R (ohm)"]]
    return Case(bench.write(sheet), None, must_refuse="(?i)map")


@kind("a map of an array", 6, COMMON)
def _(bench: Bench) -> Case:
    sheet = _map(bench, [f"C{i}" for i in range(40)], [f"R{i}" for i in range(40)])
    return Case(bench.write(sheet), None, must_refuse="(?i)map")


@kind("one reading of each die", 6, COMMON)
def _(bench: Bench) -> Case:
    places = [(x, y) for x in range(9) for y in range(9)]
    ohm = [float(f"{value:.6g}") for value in np.exp(9 + 0.1 * bench.rng.standard_normal(81))]
    columns = [["W1"] * 81, [x for x, _ in places], [y for _, y in places], ohm]
    return Case(bench.write(Sheet(["wafer", "die_x", "die_y", "R (ohm)"], columns)), None, must_refuse="(?i)map")


@kind("lines of names and values", 5, ("csv",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.folder / "lot.txt"
    path.write_text("".join(f"device={d} pulse={p} R={ohm:.6g}\n" for (d, _, p), ohm in lot.readings().items()))
    return Case(path, None, must_refuse="names and values")


@kind("a column of pulses without a name", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = wide_sheet(lot, lot.names, pulse="x")
    sheet.names[0] = ""
    return Case(bench.write(sheet), lot.readings())


@kind("columns aligned by blanks under a ruled header", 5, ("csv",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    rows = [["DEVICE", "PULSE", "R(OHM)"], *([d, p, ohm] for (d, _, p), ohm in lot.readings().items())]
    lines = ["".join(f"{text_of(cell):<12}" for cell in row).rstrip() for row in rows]
    path = bench.folder / "lot.txt"
    path.write_text("\n".join([lines[0], "-" * 36, *lines[1:]]) + "\n")
    return Case(path, lot.readings())
