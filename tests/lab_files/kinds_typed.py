"""Rules 1, 3 and 5: what keyboards, programs and languages make of names and numbers; devices that people see."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.lab_files.bench import Bench, digits, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import Sheet

HIGH = 4e5
"""As kohm, 400: a plausible resistance in ohm."""
COMMON = ("csv", "xlsx")


def _lot(bench: Bench, n: int = 3, **keywords: Any) -> Lot:
    lot = bench.lot(n=n, **keywords)
    return Lot(lot.names, 5 * lot.pulses, lot.ohm)


def _devices(names: set[str]) -> Callable[[Any], str]:
    def look(traces: Any) -> str:
        found = {trace.device for trace in traces}
        return "" if found == names else f"devices {sorted(found)[:4]}"

    return look


for _words in (
    ("Probe-Nr.", "Pulszahl", "Widerstandswert (kOhm)"), ("Échantillon", "N° d'impulsion", "Résistance (kΩ)"),
    ("样品", "脉冲次数", "阻值（kΩ）"), ("デバイス番号", "パルス番号", "抵抗値（kΩ）"),
    ("デバイス", "パルス", "抵抗［kΩ］"),
    ("试样", "脉冲编号", "电阻／kΩ"), ("device", "pulse", "R（ｋΩ）"), ("device", "pulse", "R (㏀)"),
    ("device", "pulse", "RkOhm"), ("device", "pulse", "Rkohm"),
):  # fmt: skip

    @kind(f"names typed as {_words[2]} beside {_words[0]}", 5, COMMON)
    def _(bench: Bench, words: tuple[str, str, str] = _words) -> Case:
        lot = _lot(bench, level_ohm=HIGH)
        sheet = long_sheet(lot, words[2], digits(1e-3), device=words[0], pulse=words[1])
        return Case(bench.write(sheet), lot.readings())


TYPED: dict[str, Callable[[float], str]] = {
    "１２３．４": lambda ohm: f"{ohm:.2f}".translate({ord(c): 0xFEE0 + ord(c) for c in "0123456789."}),
    "1.2×10⁵": lambda ohm: f"{ohm / 1e5:.8f}×10⁵", "1.2E−05": lambda ohm: f"{ohm * 1e5:.8E}".replace("E+", "E"),
}  # fmt: skip

for _style, _write in TYPED.items():

    @kind(f"numbers typed as {_style}", 5, COMMON)
    def _(bench: Bench, style: str = _style, write: Callable[[float], str] = _write) -> Case:
        lot = _lot(bench, level_ohm=HIGH)
        if "−" not in style:
            return Case(bench.write(long_sheet(lot, "R (ohm)", write)), lot.readings())
        sheet = long_sheet(lot, "I (A)", lambda ohm: f"{-0.2 / ohm:.8E}".replace("-", "−"))
        sheet.names.append("V_read (V)")
        sheet.columns.append(["−0.2"] * len(sheet.columns[0]))
        return Case(bench.write(sheet), lot.readings())


for _encoding, _words in {
    "utf-16-le": ("device", "pulse", "R (kΩ)"), "utf-16-be": ("device", "pulse", "R (kΩ)"),
    "shift-jis": ("素子", "パルス数", "抵抗(kΩ)"), "gb18030": ("器件", "脉冲数", "电阻(kΩ)"),
    "euc-kr": ("소자", "펄스 수", "저항(kΩ)"), "mac-roman": ("Gerät", "Impuls", "Résistance (kΩ)"),
}.items():  # fmt: skip

    @kind(f"text in {_encoding}, without a mark", 5, ("csv",))
    def _(bench: Bench, encoding: str = _encoding, words: tuple[str, str, str] = _words) -> Case:
        lot = _lot(bench, level_ohm=HIGH)
        sheet = long_sheet(lot, words[2], digits(1e-3), device=words[0], pulse=words[1])
        return Case(bench.write(sheet, encoding=encoding), lot.readings())


@kind("a garbled unit of the only column left", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = _lot(bench, level_ohm=HIGH)
    name = bench.pick(["RŽsistance (k½)", "µç×è(k¦¸)", "Wert (k\ufffd)"])
    return Case(bench.write(long_sheet(lot, name, digits(1e-3))), None, must_refuse=".", ways=[lot.readings()])


for _cell in ("P{}", "pulse_{:03d}", "RESET {}", "after {} pulses", "#{}", "{} pulses", "{}p"):

    @kind(f"pulse numbers written as {_cell.format(12)}", 5, COMMON)
    def _(bench: Bench, cell: str = _cell) -> Case:
        lot = _lot(bench)
        sheet = long_sheet(lot, "R (ohm)")
        sheet.columns[1] = [cell.format(pulse) for pulse in sheet.columns[1]]
        return Case(bench.write(sheet), lot.readings())


for _name in ("after {} pulses", "{} pulses", "{}p", "R after {}", "{}th pulse", "R @ {} pulses (kohm)"):

    @kind(f"a row a device, columns called {_name.format(10)}", 4, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        lot = _lot(bench, n=5, k=45)
        factor = 1e-3 if "kohm" in name else 1.0
        columns = [[digits(factor)(ohm) for ohm in lot.ohm[:, 0, k]] for k in range(lot.k)]
        return Case(
            bench.write(Sheet(["device", *(name.format(p) for p in lot.pulses)], [list(lot.names), *columns])),
            lot.readings(),
        )


@kind("names, units and devices in three lines", 1, COMMON)
def _(bench: Bench) -> Case:
    """As a plotting program exports its long names, units and comments."""
    lot = _lot(bench, level_ohm=HIGH)
    sheet = wide_sheet(lot, ["Resistance"] * lot.n, digits(1e-3), pulse="Pulse number")
    sheet.below = [["", *["kOhm"] * lot.n], ["", *lot.names]]
    if bench.rng.random() < 0.5:
        sheet.below.reverse()
    return Case(bench.write(sheet), lot.readings())


for _pair in (("x_die", "y_die"), ("WaferX", "WaferY"), ("XCoord", "YCoord"), ("X (mm)", "Y (mm)"), ("DieX", "DieY")):

    @kind(f"devices told apart by {_pair[0]} and {_pair[1]}", 3, COMMON)
    def _(bench: Bench, pair: tuple[str, str] = _pair) -> Case:
        lot = _lot(bench, n=4)
        sheet = long_sheet(lot, "R (ohm)", device="")
        rows = [i for i, _, _ in lot.rows()]
        sheet.names[:0] = list(pair)
        sheet.columns[:0] = [[i // 2 - 1 for i in rows], [i % 2 for i in rows]]
        return Case(bench.write(sheet), None, look=_devices({"-1/0", "-1/1", "0/0", "0/1"}), ways=[lot.readings()])


@kind("devices called 1.10 and 1.1", 3, COMMON)
def _(bench: Bench) -> Case:
    names = ["1.10", "1.1", "1.100"]
    lot = Lot(names, _lot(bench, k=50).pulses, bench.lot(n=3, k=50).ohm)
    return Case(bench.write(long_sheet(lot, "R (ohm)")), None, look=_devices(set(names)))


@kind("devices above blocks of one sheet", 3, ("xlsx",))
def _(bench: Bench) -> Case:
    import openpyxl

    lot = _lot(bench, level_ohm=HIGH)
    book = openpyxl.Workbook()
    above = bench.pick(["Device {}", "Device: {}", "{}"])
    for i, name in enumerate(lot.names):
        rows = [[int(p), float(ohm / 1e3)] for p, ohm in zip(lot.pulses, lot.ohm[i, 0], strict=True)]
        for row in ([above.format(name)], ["Pulse", "R (kOhm)"], *rows, []):
            book.active.append(row)
    path = bench.folder / "lot.xlsx"
    book.save(path)
    return Case(path, lot.readings())


@kind("the unit on a sheet of notes", 1, ("xlsx",))
def _(bench: Bench) -> Case:
    import openpyxl

    lot = _lot(bench, level_ohm=HIGH)
    path = bench.write(long_sheet(lot, "R", digits(1e-3)))
    book = openpyxl.load_workbook(path)
    notes = book.create_sheet("Info", 0)
    for row in (["Operator", "me"], ["Resistance unit", "kOhm"], ["Date", "March"]):
        notes.append(row)
    book.save(path)
    return Case(path, lot.readings())


for _pair in (("R_set", "R_reset"), ("R_raw", "R_corrected"), ("R_before", "R_after"), ("G_fwd", "G_bwd")):

    @kind(f"two readings of one device: {_pair[0]}, {_pair[1]}", 4, COMMON)
    def _(bench: Bench, pair: tuple[str, str] = _pair) -> Case:
        lot = _lot(bench, n=2)
        unit, value = ("S", inverse(1.0)) if pair[0].startswith("G") else ("ohm", float)
        sheet = wide_sheet(lot, [f"{name} ({unit})" for name in pair], value)
        ways = [Lot(["*"], lot.pulses, lot.ohm[i : i + 1]).readings() for i in range(2)]
        return Case(bench.write(sheet), None, must_refuse="one device", ways=ways)


@kind("a narrower table above a wider one", 4, ("csv",))
def _(bench: Bench) -> Case:
    """Rows are devices, so that few lines stand above the second header."""
    lots = [_lot(bench, n=3, k=40), bench.lot(n=3, k=55, prefix="E")]
    lines = []
    for lot in lots:
        lines.append(",".join(["device", *(f"pulse {p}" for p in lot.pulses)]))
        lines += [",".join([name, *map(str, lot.ohm[i, 0])]) for i, name in enumerate(lot.names)]
    path = bench.folder / "lot.csv"
    path.write_text("\n".join(lines) + "\n")
    return Case(path, lots[0].readings() | lots[1].readings())


@kind("JSON", 5, ("csv",))
def _(bench: Bench) -> Case:
    records = [{"device": d, "pulse": p, "R_ohm": ohm} for (d, _, p), ohm in _lot(bench).readings().items()]
    text = bench.pick([json.dumps(records), "\n".join(map(json.dumps, records))])
    path = bench.folder / bench.pick(["lot.json", "lot.txt"])
    path.write_text(text)
    return Case(path, None, must_refuse="JSON.*read_json", ways=[])


@kind("currents beside a voltage that may be that of the reads", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = _lot(bench)
    sheet = long_sheet(lot, "SMU-1 Current (A)", inverse(0.1))
    sheet.names.append("SMU-1 Voltage (V)")
    sheet.columns.append([0.1] * len(sheet.columns[0]))
    return Case(bench.write(sheet), None, must_refuse="read voltage", ways=[lot.readings()])


@kind("readings in codes of a converter", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = _lot(bench, level_ohm=HIGH)
    name = bench.pick(["R (LSB)", "R (counts)", "ADC code", "J (A/cm2)"])
    value = inverse(0.1) if name.startswith("J") else digits(1e-2)
    return Case(bench.write(long_sheet(lot, name, value)), None, must_refuse=".", ways=[])
