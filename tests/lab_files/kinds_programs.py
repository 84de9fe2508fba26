"""Rules 1 to 6: files as programs and people of other languages write them, and columns whose names nobody expects."""

from __future__ import annotations

import numpy as np

from tests.lab_files.bench import Bench, digits, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.kinds_exports import records
from tests.lab_files.kinds_readings import hits, less, spoil
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import EXCEL, TEXT, Sheet

COMMON = (*TEXT, "xlsx")

LANGUAGES = {
    "German": ("Zelle", "Pulsnummer", "Widerstand"), "French": ("Cellule", "Impulsion", "Résistance"),
    "Spanish": ("Dispositivo", "Pulso", "Resistencia"), "Italian": ("Cella", "Impulso", "Resistenza"),
    "Portuguese": ("Dispositivo", "Pulso", "Resistência"), "Polish": ("Komórka", "Impuls", "Rezystancja"),
    "Czech": ("Buňka", "Puls", "Odpor"), "Turkish": ("Hücre", "Darbe", "Direnç"),
    "Russian": ("Ячейка", "Импульс", "Сопротивление"), "Chinese": ("器件", "脉冲数", "电阻"),
    "Japanese": ("素子", "パルス数", "抵抗"), "Korean": ("소자", "펄스 수", "저항"),
}  # fmt: skip

for _language, _words in LANGUAGES.items():

    @kind(f"headers in {_language}", 5, COMMON)
    def _(bench: Bench, words: tuple[str, ...] = _words) -> Case:
        lot = bench.lot()
        lot = Lot(lot.names, 5 * lot.pulses, lot.ohm)
        sheet = long_sheet(lot, f"{words[2]} (kΩ)", digits(1e-3), device=words[0], pulse=words[1])
        return Case(bench.write(sheet), lot.readings())

    @kind(f"headers in {_language}, wide", 5, COMMON)
    def _(bench: Bench, words: tuple[str, ...] = _words) -> Case:
        lot = bench.lot(n=3)
        names = [f"{words[0]} {i + 1}" for i in range(lot.n)]
        lot = Lot(names, 5 * lot.pulses, lot.ohm)
        sheet = wide_sheet(lot, [f"{name} (kΩ)" for name in names], digits(1e-3), pulse=words[1])
        return Case(bench.write(sheet), lot.readings())


for _names in (("deviceId", "pulseIndex", "resistanceKOhm"), ("DeviceID", "PulseNo", "ResistanceInKOhm")):

    @kind(f"names such as {_names[2]}", 5, COMMON)
    def _(bench: Bench, names: tuple[str, ...] = _names) -> Case:
        lot = bench.lot()
        sheet = long_sheet(lot, names[2], digits(1e-3), device=names[0], pulse=names[1])
        return Case(bench.write(sheet), lot.readings())


for _name in ("dR (ohm)", "ΔR (ohm)", "R-R0 (ohm)", "R/R0", "delta R (ohm)", "R deviation (ohm)"):

    @kind(f"changes, called {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        lot = bench.lot(level_ohm=4e4)
        value = (lambda ohm: float(f"{ohm / 4e4:.6g}")) if "/" in name else (lambda ohm: float(f"{ohm - 3e4:.6g}"))
        return Case(bench.write(long_sheet(lot, name, value)), None, must_refuse=".")


for _name in ("R*1000 (ohm)", "R x 1e3 (ohm)", "R_k", "G_u", "R (x1000 ohm)"):

    @kind(f"multiplied readings, called {_name}", 1, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        lot = bench.lot(level_ohm=4e4)
        value = inverse(1e6) if name == "G_u" else digits(1e-3)
        return Case(bench.write(long_sheet(lot, name, value)), None, must_refuse=".", ways=[lot.readings()])


for _word in ("Probe", "Struktur", "Chip no", "Prüfling", "Object", "who"):

    @kind(f"devices in a column called {_word}, which nobody knows", 3, COMMON)
    def _(bench: Bench, word: str = _word) -> Case:
        """Their ramps are not cycles of one device."""
        lot = bench.lot(n=3)
        sheet = long_sheet(lot, "R (ohm)", device=word)
        return Case(bench.write(sheet), None, look=lambda traces: _apart(traces, lot), ways=[lot.readings()])


def _apart(traces: object, lot: Lot) -> str:
    found = {trace.device for trace in traces}  # type: ignore[attr-defined]
    return "" if found == set(lot.names) else f"devices {sorted(found)[:3]}"


for _stem in ("Var", "Column", "Col", "X", "field"):

    @kind(f"columns called {_stem}1, {_stem}2, {_stem}3", 4, COMMON)
    def _(bench: Bench, stem: str = _stem) -> Case:
        """Names that a program gave: device, pulse and reading, which no name says."""
        lot = bench.lot(n=3)
        lot = Lot(lot.names, 5 * lot.pulses, lot.ohm)
        sheet = long_sheet(lot, f"{stem}3", device=f"{stem}1", pulse=f"{stem}2")
        return Case(bench.write(sheet), None, look=lambda traces: _apart(traces, lot), ways=[lot.readings()])

    @kind(f"columns called {_stem}1, {_stem}2, ..., wide", 4, COMMON)
    def _(bench: Bench, stem: str = _stem) -> Case:
        lot = bench.lot(n=3)
        names = [f"{stem}{i + 2}" for i in range(lot.n)]
        lot = Lot(names, 5 * lot.pulses, lot.ohm)
        return Case(bench.write(wide_sheet(lot, names, pulse=f"{stem}1")), lot.readings())


@kind("two quantities in one wide table", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2)
    sheet = wide_sheet(lot, ["D00 (kohm)", "D01 (uS)"], digits(1e-3))
    sheet.columns[2] = [inverse(1e6)(ohm) for ohm in lot.ohm[1, 0]]
    return Case(bench.write(sheet), None, must_refuse=".")


@kind("units of single columns in comments", 1, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2, level_ohm=2e4)
    sheet = wide_sheet(lot, ["D00", "D01"])
    sheet.columns[1] = [digits(1e-3)(ohm) for ohm in lot.ohm[0, 0]]
    path = bench.write(sheet)
    path.write_text("# D00: kohm\n# D01: ohm\n" + path.read_text())
    return Case(path, lot.readings())


@kind("an unknown counter beside wide devices", 4, COMMON)
def _(bench: Bench) -> Case:
    """Rows would be pulses but for a column that counts something in steps of five."""
    lot = bench.lot(n=3)
    lot = Lot(["Device 1", "Device 2", "Device 3"], 5 * lot.pulses, lot.ohm)
    return Case(bench.write(wide_sheet(lot, lot.names, pulse=bench.pick(["Nmr", "shots", "tries"]))), lot.readings())


@kind("errors beside wide devices", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2)
    end = bench.pick(["err", "std", "error", "sigma"])
    sheet = wide_sheet(lot, lot.names)
    sheet.names += [f"{name}_{end}" for name in lot.names]
    sheet.columns += [[float(f"{0.01 * ohm:.4g}") for ohm in lot.ohm[i, 0]] for i in range(lot.n)]
    return Case(bench.write(sheet), lot.readings())


@kind("only the mean of several reads", 5, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    name = bench.pick(["R_mean (ohm)", "mean R (ohm)", "average resistance (ohm)", "Ravg (ohm)"])
    deviations = [0.002 * ohm for ohm in lot.readings().values()]
    sheet = long_sheet(lot, name, R_std=list(deviations), n_reads=[10] * len(deviations))
    return Case(bench.write(sheet), lot.readings())


@kind("error codes of one value, two in a row", 2, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=2e4)
    gone = hits(bench, lot, 4, first=5)
    gone |= {(d, c, k + 1) for d, c, k in gone if (d, c, k + 3) in lot.readings()}
    sheet = long_sheet(lot, "R (ohm)")
    spoil(lot, sheet, gone, bench.pick([9999999.0, 999999.0, 1.0]))
    return Case(bench.write(sheet), less(lot, gone), left_out=dict.fromkeys(gone, "."), may_miss=set())


@kind("pulses of each burst beside their sum", 5, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
    sheet = long_sheet(lot, "R (ohm)", pulse="total_pulses")
    each = [0 if pulse == 0 else 10 for pulse in sheet.columns[1]]
    sheet.names.insert(1, "n_pulses")
    sheet.columns.insert(1, each)
    return Case(bench.write(sheet), lot.readings())


@kind("pulses in each burst", 5, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
    word = bench.pick(["pulses in burst", "pulses per burst", "burst size", "pulses_per_step", "delta pulses"])
    sheet = long_sheet(lot, "R (ohm)", pulse=word)
    sheet.columns[1] = [0 if pulse == 0 else 10 for pulse in sheet.columns[1]]
    return Case(bench.write(sheet), lot.readings())


@kind("pulse numbers with marks of thousands", 5, ("semicolon", "tab"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    lot = Lot(lot.names, 100 * lot.pulses, np.round(lot.ohm, 1))
    sheet = long_sheet(lot, "R (ohm)", lambda ohm: f"{ohm:.1f}")
    sheet.columns[1] = [f"{pulse:,}" for pulse in sheet.columns[1]]
    return Case(bench.write(sheet), lot.readings())


@kind("a title with the unit above a wide table", 1, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=2e4)
    sheet = wide_sheet(lot, lot.names, digits(1e-3))
    sheet.above = [bench.pick([["Resistance (kohm)"], [None, "Resistance (kohm)"], ["R [kOhm]"]])]
    return Case(bench.write(sheet), lot.readings())


@kind("a preamble of pairs, one of them about pulses", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.above = [["Test Name", "reset pulses"], ["Project", "weak"], ["Instrument", "2450"], ["Start", "12:00"]]
    return Case(bench.write(sheet), lot.readings())


# -- programs -----------------------------------------------------------------------------------------------------


def _lines(bench: Bench, lot: Lot, row: str, name: str = "lot.txt", head: str = "") -> Case:
    body = "".join(
        row.format(n=i + 1, device=lot.names[d], pulse=lot.pulses[k], kohm=lot.ohm[d, c, k] / 1e3, ohm=lot.ohm[d, c, k])
        for i, (d, c, k) in enumerate(lot.rows())
    )
    path = bench.folder / name
    path.write_text(head + body, encoding="utf-8")
    return Case(path, lot.readings())


PROGRAMS = {
    "write.table of R": ('"device" "pulse" "R_ohm"\n', '"{n}" "{device}" {pulse} {ohm:.6g}\n'),
    "aligned columns": ("device    pulse     R (kohm)\n", "{device:10s}{pulse:<10d}{kohm:.7g}\n"),
    "names in quotes over two lines": (
        '"Device","Pulse\nnumber","Resistance\n(kOhm)"\n', '"{device}",{pulse},{kohm:.7g}\n'
    ),
    "a table of Markdown": ("| device | pulse | R (kohm) |\n|---|---|---|\n", "| {device} | {pulse} | {kohm:.7g} |\n"),
}  # fmt: skip

for _program, (_head, _row) in PROGRAMS.items():

    @kind(f"as {_program} writes", 5, ("csv",))
    def _(bench: Bench, head: str = _head, row: str = _row) -> Case:
        lot = bench.lot()
        return _lines(bench, Lot(lot.names, 5 * lot.pulses, lot.ohm), row, head=head)


@kind("a measurement file of LabVIEW", 5, ("csv",))
def _(bench: Bench) -> Case:
    """Two headers, a line of abscissas; what these count is not said."""
    lot = bench.lot(n=2)
    lot = Lot(lot.names, 5 * lot.pulses, lot.ohm)
    end = "***End_of_Header***\n"
    head = f"LabVIEW Measurement\nWriter_Version\t2\nSeparator\tTab\nDate\t2024/03/01\n{end}\nChannels\t2\n"
    head += f"Y_Unit_Label\tkOhm\tkOhm\nX_Dimension\tTime\tTime\nX0\t0.0\t0.0\nDelta_X\t1.0\t1.0\n{end}"
    rows = (f"{p}\t{lot.ohm[0, 0, k] / 1e3:.7g}\t{lot.ohm[1, 0, k] / 1e3:.7g}\n" for k, p in enumerate(lot.pulses))
    path = bench.folder / "lot.lvm"
    path.write_text(head + "X_Value\tD00\tD01\tComment\n" + "".join(rows))
    return Case(path, None, must_refuse=".", ways=[lot.readings()])


for _above in ("# device: {}", "# {}", "Device: {}", "Device,{}", "DUT = {}"):

    @kind(f"blocks of devices, each below {_above.format('D00')}", 3, ("csv",))
    def _(bench: Bench, above: str = _above) -> Case:
        """Every block has a header of its own; their ramps are not cycles of one device."""
        lot = bench.lot(n=3)
        blocks = []
        for i, name in enumerate(lot.names):
            mark = "# " if above.startswith("#") else ""
            rows = "".join(f"{p},{ohm / 1e3:.7g}\n" for p, ohm in zip(lot.pulses, lot.ohm[i, 0], strict=True))
            blocks.append(f"{above.format(name)}\n{mark}pulse,R (kohm)\n{rows}")
        path = bench.folder / "lot.csv"
        path.write_text("\n\n".join(blocks))
        path.write_text(path.read_text() + "\n")
        return Case(path, lot.readings())


@kind("the device in a comment, and nowhere else", 3, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=1)
    sheet = long_sheet(lot, "R (ohm)", device="")
    path = bench.write(sheet)
    path.write_text("# device: W3_D7\n" + path.read_text())
    return Case(path, {("W3_D7", c, p): ohm for (_, c, p), ohm in lot.readings().items()})


# -- workbooks and HDF5 -------------------------------------------------------------------------------------------


@kind("numbers as text with decimal commas", 1, ("xlsx",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (kohm)", lambda ohm: f"{ohm / 1e3:.5f}".replace(".", ","))
    return Case(bench.write(sheet), {key: round(ohm, 2) for key, ohm in lot.readings().items()}, rtol=1e-3)


def _workbook(bench: Bench, lot: Lot, further: list[tuple[str, list[list[object]]]]) -> Case:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for i, name in enumerate(lot.names):
        page = book.create_sheet(name)
        page.append(["Pulse", "R (kOhm)"])
        for k, pulse in enumerate(lot.pulses):
            page.append([int(pulse), float(lot.ohm[i, 0, k] / 1e3)])
    for title, rows in further:
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    path = bench.folder / "lot.xlsx"
    book.save(path)
    return Case(path, lot.readings())


@kind("a sheet a device, and a summary", 5, ("xlsx",))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    means: list[list[object]] = [[name, float(lot.ohm[i].mean() / 1e3)] for i, name in enumerate(lot.names)]
    case = _workbook(bench, lot, [("Summary", [["device", "mean R (kOhm)"], *means])])
    case.says = "Summary"
    return case


@kind("a small table beside the table", 4, ("xlsx",))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    sheet = long_sheet(lot, "R (ohm)")
    rest = [None] * (len(sheet.columns[0]) - 3)
    sheet.names += ["", "device", "R0 (ohm)"]
    sheet.columns += [[None] * len(sheet.columns[0]), [*lot.names, *rest], [*map(float, lot.ohm[:, 0, 0]), *rest]]
    return Case(bench.write(sheet), lot.readings())


@kind("records in one dataset", 5, ("hdf5",))
def _(bench: Bench) -> Case:
    return records(bench, "reads", "resistance_ohm", "i4")


@kind("a description of the dataset with the unit in words", 1, ("hdf5",))
def _(bench: Bench) -> Case:
    """Values of 300 kohm written as 300: plausible as ohms, and off by 1000."""
    import h5py

    lot = bench.lot(level_ohm=3e5)
    path = bench.folder / "lot.h5"
    with h5py.File(path, "w") as root:
        root["resistance"], root["pulse"] = lot.ohm[:, 0] / 1e3, lot.pulses
        root["device"] = np.array(lot.names, dtype="S4")
        root["resistance"].attrs["description"] = "read resistance in kohm"
    return Case(path, None, must_refuse=".", ways=[lot.readings()])


@kind("units in a struct of units", 1, ("matlab",))
def _(bench: Bench) -> Case:
    from scipy.io import savemat

    lot = bench.lot(level_ohm=3e5)
    fields = {"pulse": lot.pulses, "R": lot.ohm[:, 0] / 1e3, "device": np.array(lot.names, dtype=object)}
    path = bench.folder / "lot.mat"
    savemat(path, {"lot": {**fields, "units": {"R": "kOhm", "pulse": "1"}}})
    return Case(path, lot.readings())


for _footer in ("All resistances in kOhm", "# R in kOhm", "values: kilo-ohms"):

    @kind(f"the unit in a line behind the readings: {_footer}", 1, TEXT)
    def _(bench: Bench, footer: str = _footer) -> Case:
        lot = bench.lot(level_ohm=3e5)
        path = bench.write(long_sheet(lot, "R", digits(1e-3)))
        path.write_text(path.read_text() + f"\n{footer}\n")
        return Case(path, None, must_refuse=".", ways=[lot.readings()])


@kind("the unit in a note beside the header", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=3e5)
    sheet = long_sheet(lot, "R", digits(1e-3))
    sheet.names += ["", "all R in kOhm"]
    sheet.columns += [[None] * len(sheet.columns[0]) for _ in range(2)]
    return Case(bench.write(sheet), None, must_refuse=".", ways=[lot.readings()])


@kind("a header of nothing but a unit in two words", 1, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=3e5)
    return Case(bench.write(long_sheet(lot, bench.pick(["kilo ohms", "Kilo-Ohm"]), digits(1e-3))), lot.readings())


@kind("several reads a device in columns", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2)
    word = bench.pick(["read", "meas", "repeat"])
    sheet = wide_sheet(lot, [f"{name}_{word}1" for name in lot.names])
    sheet.names += [f"{name}_{word}2" for name in lot.names]
    sheet.columns += [[float(f"{1.001 * ohm:.7g}") for ohm in lot.ohm[i, 0]] for i in range(lot.n)]
    return Case(bench.write(sheet), None, must_refuse="several reads")


@kind("the types of the columns below their names", 5, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "resistance")
    sheet.below = [["string", "int", "float"]]
    return Case(bench.write(sheet), lot.readings())


@kind("a row a device, its temperature before the pulses", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=4, k=45)
    names = ["device", "V_reset", "T (K)", *(f"p{5 * k}" for k in range(lot.k))]
    first = [list(lot.names), [0.9] * lot.n, [300.0] * lot.n]
    lot = Lot(lot.names, 5 * lot.pulses, lot.ohm)
    return Case(bench.write(Sheet(names, [*first, *lot.ohm[:, 0].T.tolist()])), lot.readings())
