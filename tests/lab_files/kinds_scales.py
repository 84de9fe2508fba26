"""Rules 1 and 2: readings that are no resistance in a unit, units in odd places,
and cells that say more than a number.

Levels are such that kohm taken for ohm would look plausible.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.lab_files.bench import Bench, digits, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.kinds_readings import hits, less, spoil
from tests.lab_files.lot import Lot, Readings
from tests.lab_files.sheet import ALL, EXCEL, TEXT

COMMON = (*TEXT, "xlsx")
HIGH = 4e5
"""400 as kohm: a plausible resistance in ohm."""
SCALES: dict[str, Callable[[float], float]] = {
    "log10(R)": math.log10, "log R": math.log10, "lnR": math.log, "ln(R)": math.log, "log10 R (ohm)": math.log10,
    "R (dB)": lambda ohm: 20 * math.log10(ohm), "R (dBohm)": lambda ohm: 20 * math.log10(ohm),
    "R (a.u.)": lambda ohm: ohm / 137, "R (arb. units)": lambda ohm: ohm / 137, "R (%)": lambda ohm: ohm / HIGH * 100,
}  # fmt: skip
RELATIVE = ("R/R0", "R / R_0", "R_norm", "Rnorm", "normalized R", "R/Rinit", "dR/R0", "R ratio", "Delta R (%)",
    "G/G0")


def _nine(value: float) -> float:
    return float(f"{value:.9g}")


for _name, _scale in SCALES.items():

    @kind(f"readings that are {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name, scale: Callable[[float], float] = _scale) -> Case:
        lot = bench.lot(level_ohm=HIGH)
        path = bench.write(long_sheet(lot, name, lambda ohm: _nine(scale(ohm))))
        return Case(path, None, must_refuse=".", ways=[lot.readings()])


for _name in RELATIVE:

    @kind(f"readings that are {_name}, by the first", 1, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        lot = bench.lot(level_ohm=HIGH)
        of_first = Lot(lot.names, lot.pulses, lot.ohm / lot.ohm[:, :, :1] * (100 if "%" in name else 1))
        return Case(bench.write(long_sheet(of_first, name, _nine)), None, must_refuse=".", ways=[lot.readings()])


@kind("logarithms, wide", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=HIGH)
    name = bench.pick(["log10(R) {}", "{} log R", "lg R {}"])
    sheet = wide_sheet(lot, [name.format(device) for device in lot.names], lambda ohm: _nine(math.log10(ohm)))
    return Case(bench.write(sheet), None, must_refuse=".", ways=[lot.readings()])


@kind("conductance in quanta", 1, (*COMMON, "hdf5"))
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=2e4)
    name = bench.pick(["G (G0)", "G [G_0]", "Conductance (2e^2/h)"])
    return Case(bench.write(long_sheet(lot, name, inverse(12906.4037))), lot.readings(), rtol=1e-3)


for _unit, _factor in (("10^3 ohm", 1e-3), ("x1000 Ohm", 1e-3), ("1E3 Ohm", 1e-3), ("1e6 Ohm", 1e-6),
    ("x10^3 ohm", 1e-3),
                       ("kW", 1e-3), ("kÎ©", 1e-3), ("k?", 1e-3), ("Ohm*1e3", 1e-3), ("KOhms", 1e-3), ("k", 1e-3),
                       ("kΩ/sq", 1e-3), ("in kOhm", 1e-3), ("R in kOhm", 1e-3), ("kOhm @ 0.1 V", 1e-3),
                       ("0.1 V, kOhm", 1e-3)):  # fmt: skip

    @kind(f"unit written as {_unit}", 1, COMMON)
    def _(bench: Bench, unit: str = _unit, factor: float = _factor) -> Case:
        lot = bench.lot(level_ohm=HIGH)
        return Case(bench.write(long_sheet(lot, f"R ({unit})", digits(factor))), lot.readings())


for _line in ("Unit{}kOhm", "R unit{}kOhm", "Resistance unit:{}kOhm", "Units{}kOhm", "Unit of resistance{}kΩ",
              "All resistances in kOhm", "Data in kOhm", "Resistance [kOhm]"):  # fmt: skip

    @kind(f"unit in a line above the header: {_line.replace('{}', ' ')}", 1, TEXT + EXCEL)
    def _(bench: Bench, line: str = _line) -> Case:
        lot = bench.lot(level_ohm=HIGH)
        sheet = long_sheet(lot, "R", digits(1e-3))
        cells = line.split("{}") if "{}" in line else [line]
        sheet.above = [["Instrument", "SMU 7"], list(cells), [None]]
        return Case(bench.write(sheet), lot.readings())


@kind("unit in the name of the file", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=HIGH)
    stem = bench.pick(["lot7_kOhm", "R_kohm", "resistance in kOhm"])
    return Case(bench.write(long_sheet(lot, "R", digits(1e-3)), stem), lot.readings())


@kind("unit in the name of the sheet", 1, ("xlsx",))
def _(bench: Bench) -> Case:
    import openpyxl

    lot = bench.lot(level_ohm=HIGH)
    path = bench.write(long_sheet(lot, "R", digits(1e-3)))
    book = openpyxl.load_workbook(path)
    book.active.title = "R (kOhm)"
    book.save(path)
    return Case(path, lot.readings())


@kind("unit in the number format of the cells", 1, ("xlsx",))
def _(bench: Bench) -> Case:
    import openpyxl

    lot = bench.lot(level_ohm=HIGH)
    path = bench.write(long_sheet(lot, "R", digits(1e-3)))
    book = openpyxl.load_workbook(path)
    for row in book.active.iter_rows(min_row=2, min_col=3):
        row[0].number_format = '0.00" kΩ"'
    book.save(path)
    return Case(path, lot.readings())


@kind("unit behind every number", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=HIGH)
    unit = bench.pick([" kohm", "kΩ", " kOhm", "k"])
    sheet = long_sheet(lot, "R", lambda ohm: f"{ohm / 1e3:.9g}{unit}")
    return Case(bench.write(sheet, decimal_comma=False), lot.readings())


@kind("units of two sizes behind the numbers", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=1e6, spread=0.3)
    sheet = long_sheet(lot, "R", lambda ohm: f"{ohm / 1e6:.9g} Mohm" if ohm > 1e6 else f"{ohm / 1e3:.9g} kohm")
    return Case(bench.write(sheet, decimal_comma=False), lot.readings())


@kind("unit behind every number, in exponents of ten", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=HIGH)
    sheet = long_sheet(lot, "R", lambda ohm: f"{ohm:.8E} ohm")
    return Case(bench.write(sheet, decimal_comma=False), lot.readings())


@kind("unit behind every number, another in the header", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=HIGH)
    sheet = long_sheet(lot, "R (ohm)", lambda ohm: f"{ohm / 1e3:.9g} kohm")
    return Case(bench.write(sheet, decimal_comma=False), lot.readings())


for _style in ("{:.6D}", "{:.8f}*10^4", "{:.8f}x10^4", "{:.8f}·10⁴"):

    @kind(f"numbers written as {_style.format(1.25).replace('D', 'D') if 'D' not in _style else '1.25D+05'}",
        5, COMMON)
    def _(bench: Bench, style: str = _style) -> Case:
        lot = bench.lot(level_ohm=HIGH)
        write = (
            (lambda ohm: f"{ohm:.8E}".replace("E", "D")) if "D" in style else (lambda ohm: style.format(ohm / 1e4))
        )
        return Case(bench.write(long_sheet(lot, "R (ohm)", write), decimal_comma=False), lot.readings())


for _text in ("OVERFLOW", "OVLD", "----", "#N/A", "inf", "Inf", "1.#INF", "#DIV/0!", "-9.9E37", "9.9e+37",
    "1.#QNAN", "OL",
              ">1G", "> 1e9", "<0.1", "O.F.", "ERR", "#VALUE!", "not measured", "x", "?", "-1.#IND", "+Inf", "None"):

    @kind(f"the text {_text} for a reading", 2, COMMON)
    def _(bench: Bench, text: str = _text) -> Case:
        lot = bench.lot()
        gone = hits(bench, lot)
        sheet = long_sheet(lot, bench.pick(["R (ohm)", "Resistance [ohm]"]))
        spoil(lot, sheet, gone, text)
        return Case(bench.write(sheet), less(lot, gone), dict.fromkeys(gone, "."))


@kind("currents, negative at a negative read voltage", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "I_read (A)", inverse(-0.2))
    sheet.names.append("V_read (V)")
    sheet.columns.append([-0.2] * len(sheet.columns[0]))
    return Case(bench.write(sheet), lot.readings())


@kind("currents, negative at a positive read voltage", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "I_read (A)", inverse(-0.2))
    sheet.names.append("V_read (V)")
    sheet.columns.append([0.2] * len(sheet.columns[0]))
    return Case(bench.write(sheet), None, must_refuse="negative", ways=[lot.readings()])


for _name, _factor in (("I @ 0.2 V (uA)", 0.2e6), ("I(0.2V) [uA]", 0.2e6), ("I_0.2V_uA", 0.2e6),
                       ("Current at 200 mV (uA)", 0.2e6), ("I_read@0.2V (A)", 0.2)):  # fmt: skip

    @kind(f"currents called {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name, factor: float = _factor) -> Case:
        lot = bench.lot()
        return Case(bench.write(long_sheet(lot, name, inverse(factor))), lot.readings())


for _name, _voltage in (("Vread (mV)", 200.0), ("read voltage [V]", 0.2), ("V_READ", 0.2), ("Read V (mV)", 200.0)):

    @kind(f"currents beside {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name, voltage: float = _voltage) -> Case:
        lot = bench.lot()
        sheet = long_sheet(lot, "I (uA)", inverse(0.2e6))
        sheet.names.append(name)
        sheet.columns.append([voltage] * len(sheet.columns[0]))
        return Case(bench.write(sheet), lot.readings())


@kind("read voltage in a line above the header", 1, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "I (uA)", inverse(0.2e6))
    sheet.above = [bench.pick([["Read voltage (V)", 0.2], ["Vread", "0.2 V"], ["V_read (mV)", 200]]), [None]]
    return Case(bench.write(sheet), lot.readings())


for _name, _factor in (("G (uS)", 1e6), ("G (mS)", 1e3), ("G (nS)", 1e9), ("Cond. (µS)", 1e6), ("G_uS", 1e6),
                       ("Conductance [μS]", 1e6), ("g/uS", 1e6), ("G (mho)", 1.0), ("G (1/ohm)", 1.0),
                       ("G (1/kOhm)", 1e3), ("G (Ohm^-1)", 1.0), ("conductance (µMho)", 1e6), ("G (A/V)", 1.0),
                       ("G (uA/V)", 1e6)):  # fmt: skip

    @kind(f"conductances called {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name, factor: float = _factor) -> Case:
        lot = bench.lot()
        return Case(bench.write(long_sheet(lot, name, inverse(factor))), lot.readings())


@kind("Mohm without a unit", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=3e6)
    name = bench.pick(["R", "resistance", "Resistance"])
    return Case(bench.write(long_sheet(lot, name, digits(1e-6))), None, must_refuse="unit", ways=[lot.readings()])


@kind("conductance and resistance that agree", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (kohm)", digits(1e-3))
    sheet.names.insert(2, "G (uS)")
    sheet.columns.insert(2, [inverse(1e6)(lot.ohm[i, c, k]) for i, c, k in lot.rows()])
    return Case(bench.write(sheet), lot.readings())


for _name in ("|R| (ohm)", "abs(R) (ohm)", "R_DC (ohm)", "Resistance, ohm", "Resistance - Ohm", "R, kOhm", "R:ohm",
              "Rdev(ohm)", "R_cell (ohm)", "R<kohm>", "R {kohm}", "R.kohm", "R.ohm.", "RESISTANCE_OHMS", "R_in_kOhm",
              "R (kohm) ", "kohm", "Ohm", "value (ohm)", "Reading (ohm)", "DUT resistance (ohm)", "R(Ohm)",
              "Rlow (kohm)", "Readback (ohm)", "Meas_R_ohm", "resistance.kohm", "R kilo ohm",
              "res_kohms"):  # fmt: skip

    @kind(f"the column {_name}", 5, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        lot = bench.lot(level_ohm=HIGH)
        kilo = "k" in name.lower().replace("readback", "")
        return Case(bench.write(long_sheet(lot, name, digits(1e-3 if kilo else 1.0))), lot.readings())


def first_half(readings: Readings) -> Readings:
    """The readings of one half of the devices."""
    names = sorted({key[0] for key in readings})
    return {key: ohm for key, ohm in readings.items() if key[0] in names[: len(names) // 2]}
