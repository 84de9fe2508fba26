"""Rule 5: header words, lines before the header, numbers with suffixes."""

from __future__ import annotations

import numpy as np

from tests.lab_files.bench import Bench, digits, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import ALL, EXCEL, TEXT, Sheet

SKIPPED = r"(?i)skip|preamble|before the header|above the header"
WORDED = (*TEXT, "xlsx", "parquet", "tdms")

for _word in ("Pulse #", "PulseNum", "No. of pulses", "Nb pulses", "#", "N", "pulse_nr", "Pulse Count", "#pulses",
              "RESET pulse #", "number of pulses applied"):  # fmt: skip

    @kind(f"pulses called {_word}", 5, WORDED)
    def _(bench: Bench, word: str = _word) -> Case:
        lot = bench.lot()
        lot = Lot(lot.names, int(bench.pick([1, 10])) * lot.pulses, lot.ohm)
        return Case(bench.write(long_sheet(lot, "R (ohm)", pulse=word)), lot.readings())


@kind("pulses called #, first in the file", 5, WORDED)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=1)
    lot = Lot(["*"], 10 * lot.pulses, lot.ohm)
    return Case(bench.write(long_sheet(lot, "R (ohm)", device="", pulse=bench.pick(["#", "# pulse"]))), lot.readings())


for _word in ("cycle#", "Cycle #", "cyc no.", "SET #"):

    @kind(f"cycles called {_word}", 5, WORDED)
    def _(bench: Bench, word: str = _word) -> Case:
        lot = bench.lot(n=2, k=40, cycles=3)
        return Case(bench.write(long_sheet(lot, "R (ohm)", cycle=word)), lot.readings())


for _word in ("Device ID", "DUT", "Cell", "Sample", "Bit", "dev", "Device #"):

    @kind(f"devices called {_word}", 5, WORDED)
    def _(bench: Bench, word: str = _word) -> Case:
        lot = bench.lot()
        return Case(bench.write(long_sheet(lot, "R (ohm)", device=word)), lot.readings())


for _word in ("R_LRS (ohm)", "Read resistance (ohm)", "Resistance after pulse (ohm)", "R meas [ohm]", "Res. (Ohm)",
              "RRAM resistance / ohm"):  # fmt: skip

    @kind(f"readings called {_word}", 5, WORDED)
    def _(bench: Bench, word: str = _word) -> Case:
        lot = bench.lot()
        return Case(bench.write(long_sheet(lot, word)), lot.readings())


@kind("brackets that hold the device", 5, WORDED)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    lot = Lot(["W11", "W12", "W3"], lot.pulses, lot.ohm)
    word, convert = bench.pick([("Conductance ({})", inverse(1.0)), ("Resistance ({})", float), ("R [{}]", float)])
    sheet = wide_sheet(lot, [word.format(name) for name in lot.names], convert, "Pulse number")
    return Case(bench.write(sheet), lot.readings())


@kind("brackets that hold the device, beside averages", 5, WORDED)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2)
    lot = Lot(["W11", "W12"], lot.pulses, lot.ohm)
    names, columns = ["Pulse number"], [[int(p) for p in lot.pulses]]
    for i, name in enumerate(lot.names):
        smooth = np.convolve(lot.ohm[i, 0], np.ones(5) / 5, "same")
        names += [f"Conductance ({name})", f"Moving averaged conductance ({name})"]
        columns += [[inverse(1.0)(ohm) for ohm in curve] for curve in (lot.ohm[i, 0], smooth)]
    return Case(bench.write(Sheet(names, columns)), lot.readings())


# -- before the header --------------------------------------------------------------------------------------------


@kind("preamble of an instrument", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.above = bench.pick([
        [["Instrument", "SMU"], ["Date", "2024-03-01"], []],
        [["Instrument", "SMU"], ["Date", "2024-03-01"]],
        [["Operator: A. B."], ["V_read = 0.2 V"], ["Temperature", 300]],
        [["Test name", "weak reset", ""], ["Compliance", "1e-3", "A"], []],
    ])  # fmt: skip
    return Case(bench.write(sheet), lot.readings(), says=SKIPPED)


@kind("preamble with numbers of its own", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.above = [["Points", 100, 45], ["Chip", 3, 17], ["Temperature", 300, 301]]
    return Case(bench.write(sheet), lot.readings(), says=SKIPPED)


@kind("metadata rows of full width", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.above = [["Operator", "A. B.", "2024"], ["Tool", "SMU 3", "rack 2"]][: int(bench.rng.integers(1, 3))]
    return Case(bench.write(sheet), lot.readings(), says=SKIPPED)


@kind("separator line of Excel", 5, ("csv", "semicolon", "tab"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    mark = {"csv": ",", "semicolon": ";", "tab": "\t"}[bench.reader]
    return Case(bench.write(long_sheet(lot, "R (ohm)"), before=f"sep={mark}\n"), lot.readings())


@kind("two header lines, groups above names", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.above = [bench.pick([["", "Stress", "Read"], ["Address", "Stress", "Read"], ["Lot 7", "", ""]])]
    return Case(bench.write(sheet), lot.readings())


@kind("two header lines, units below wide names", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = wide_sheet(lot, lot.names, digits(1e-3))
    sheet.below = [[bench.pick(["", "#", "-"]), *["kohm"] * lot.n]]
    return Case(bench.write(sheet), lot.readings())


@kind("two header lines, devices above their readings", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    """`,D00,D01` above `pulse,R (kohm),R (kohm)`: the device is in the first line."""
    lot = bench.lot()
    sheet = wide_sheet(lot, ["R (kohm)"] * lot.n, digits(1e-3))
    sheet.above = [["", *lot.names]]
    return Case(bench.write(sheet), lot.readings())


@kind("empty columns and lines at the end", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (kohm)", digits(1e-3))
    sheet.names += ["", ""]
    sheet.columns += [[None] * len(sheet.columns[0])] * 2
    return Case(bench.write(sheet, **({"tail": "\n\n\n"} if bench.reader in TEXT else {})), lot.readings())


@kind("a footer behind the readings", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    footer = bench.pick(["End of data", "Test finished", "# end", "Elapsed: 12 s"])
    sheet.columns = [[*sheet.columns[0], footer], [*sheet.columns[1], None], [*sheet.columns[2], None]]
    return Case(bench.write(sheet), lot.readings())


# -- numbers with suffixes ----------------------------------------------------------------------------------------


@kind("numbers with suffixes", 5, TEXT + EXCEL + ("parquet",))
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=7e3)
    write = bench.pick([
        lambda ohm: f"{ohm / 1e3:.6g}k", lambda ohm: f"{ohm:.5E} ohm", lambda ohm: f"{ohm / 1e3:.6g} kohm",
        lambda ohm: f"{ohm / 1e3:.6g}kΩ", lambda ohm: f"{ohm / 1e6:.7g}M",
    ])  # fmt: skip
    comma = (lambda text: text.replace(".", ",")) if bench.reader == "semicolon" else (lambda text: text)
    return Case(bench.write(long_sheet(lot, "resistance", lambda ohm: comma(write(ohm)))), lot.readings())


@kind("numbers of which some have suffixes", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    """As instruments print: 980 below a thousand, 1.02k above."""
    lot = bench.lot(level_ohm=1e3)
    comma = (lambda text: text.replace(".", ",")) if bench.reader == "semicolon" else (lambda text: text)
    write = lambda ohm: comma(f"{ohm:.6g}" if ohm < 1000 else f"{ohm / 1e3:.6g}k")  # noqa: E731
    return Case(bench.write(long_sheet(lot, "resistance", write)), lot.readings())


@kind("columns that nobody needs", 5, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    rows = len(list(lot.rows()))
    sheet = long_sheet(lot, "R (kohm)", digits(1e-3))
    for name, column in (("time", [0.5 * r for r in range(rows)]), ("T (K)", [300.0] * rows), ("Ig", [1e-9] * rows)):
        at = int(bench.rng.integers(len(sheet.names) + 1))
        sheet.names.insert(at, name)
        sheet.columns.insert(at, column)
    return Case(bench.write(sheet), lot.readings())


@kind("columns in another order", 5, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (kohm)", digits(1e-3))
    order = bench.rng.permutation(3)
    return Case(bench.write(Sheet([sheet.names[i] for i in order], [sheet.columns[i] for i in order])), lot.readings())
