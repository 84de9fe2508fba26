"""Rule 1: a unit is known, absent, or unreadable."""

from __future__ import annotations

import re

import h5py
import numpy as np

from tests.lab_files.bench import Bench, digits, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import ALL, EXCEL, NAMED, TEXT, Sheet, write

KNOWN = {
    "ohm": ("resistance", 1.0), "Ohm": ("resistance", 1.0), "Ω": ("resistance", 1.0), "kohm": ("resistance", 1e-3),
    "kOhm": ("resistance", 1e-3), "kΩ": ("resistance", 1e-3), "MOhm": ("resistance", 1e-6),
    "S": ("conductance", 1.0), "mS": ("conductance", 1e3), "uS": ("conductance", 1e6), "µS": ("conductance", 1e6),
    "nS": ("conductance", 1e9),
}  # fmt: skip
SPELLED = {
    "kiloohm": ("resistance", 1e-3), "kilo-ohm": ("resistance", 1e-3), "kilo-ohms": ("resistance", 1e-3),
    "kilohm": ("resistance", 1e-3), "Kiloohms": ("resistance", 1e-3), "megaohm": ("resistance", 1e-6),
    "Megohm": ("resistance", 1e-6), "microsiemens": ("conductance", 1e6), "milliSiemens": ("conductance", 1e3),
    "nanosiemens": ("conductance", 1e9), "micro-siemens": ("conductance", 1e6),
}  # fmt: skip
UNREADABLE = ("kOhmz", "arb. units", "a.u.", "Ohm/sq", "counts", "kR?")


def scaled(bench: Bench, unit: str, table: dict[str, tuple[str, float]], **keywords: str) -> tuple[Lot, Sheet, str]:
    """A lot and its long table in this unit; also the name of its reading, which says no unit."""
    quantity, factor = table[unit]
    lot = bench.lot()
    convert = digits(factor) if quantity == "resistance" else inverse(factor)
    return lot, long_sheet(lot, quantity, convert, **keywords), quantity


def _known_unit(bench: Bench) -> str:
    return bench.pick([unit for unit in KNOWN if unit not in ("ohm", "S")])


@kind("unit in brackets of the header", 1, ALL)
def _(bench: Bench) -> Case:
    unit = _known_unit(bench)
    lot, sheet, quantity = scaled(bench, unit, KNOWN)
    opening, closing = bench.pick(["[]", "()"])
    sheet.names[-1] = f"{quantity.capitalize()} {opening}{unit}{closing}"
    return Case(bench.write(sheet), lot.readings())


@kind("unit in a second header line", 1, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    unit = bench.pick(list(KNOWN))
    lot, sheet, _ = scaled(bench, unit, KNOWN)
    empty = bench.pick(["", "-", "#", None])
    shown = bench.pick([unit, f"[{unit}]", f"({unit})"])
    sheet.below = [[empty, empty, shown]]
    return Case(bench.write(sheet), lot.readings())


@kind("unreadable unit in a second header line", 1, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    unit = bench.pick(UNREADABLE)
    lot, sheet, _ = scaled(bench, "kohm", KNOWN)
    sheet.below = [["", "", unit]]
    return Case(bench.write(sheet), None, must_refuse=re.escape(unit), ways=[lot.readings()])


COMMENTS = ("# R in {}", "# unit: {}", "# resistance unit: {}", "# Units = {}", "# Resistance [{}]", "% R in {}",
            "# columns: device, pulse, resistance ({})", "# all resistances in {}")  # fmt: skip


@kind("unit in a comment", 1, TEXT)
def _(bench: Bench) -> Case:
    unit = bench.pick(["kohm", "kOhm", "kΩ", "MOhm"])
    lot, sheet, _ = scaled(bench, unit, KNOWN)
    return Case(bench.write(sheet, before=bench.pick(COMMENTS).format(unit) + "\n"), lot.readings())


@kind("unit spelled out in a comment", 1, TEXT)
def _(bench: Bench) -> Case:
    unit = bench.pick(["kiloohm", "kilo-ohms", "megaohm"])
    lot, sheet, _ = scaled(bench, unit, SPELLED)
    return Case(bench.write(sheet, before=bench.pick(COMMENTS[:4]).format(unit) + "\n"), lot.readings())


@kind("unreadable unit in a comment", 1, TEXT)
def _(bench: Bench) -> Case:
    unit = bench.pick(("kOhmz", "a.u.", "counts"))
    lot, sheet, _ = scaled(bench, "kohm", KNOWN)
    before = bench.pick(("# unit: {}\n", "# resistance unit: {}\n")).format(unit)
    return Case(bench.write(sheet, before=before), None, must_refuse=re.escape(unit), ways=[lot.readings()])


@kind("comment in the unit of another column", 1, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    before = bench.pick(("# V_read in mV\n", "# pulse width in us\n", "# temperature: 300 K\n", "# time in ks\n"))
    return Case(bench.write(long_sheet(lot), before=before), lot.readings())


@kind("unit in a column", 1, ALL)
def _(bench: Bench) -> Case:
    unit = bench.pick(["kohm", "kOhm", "MOhm"])
    name = bench.pick(["unit", "Unit", "units"])
    lot, sheet, _ = scaled(bench, unit, KNOWN)
    sheet.names.append(name)
    sheet.columns.append([unit] * len(sheet.columns[0]))
    return Case(bench.write(sheet), lot.readings())


@kind("two units in a column", 1, TEXT + EXCEL + ("parquet",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "resistance")
    units = ["kohm" if bench.rng.random() < 0.5 else "ohm" for _ in sheet.columns[0]]
    sheet.columns[-1] = [digits(1e-3 if u == "kohm" else 1)(v) for v, u in zip(sheet.columns[-1], units, strict=True)]
    sheet.names.append("unit")
    sheet.columns.append(units)
    return Case(bench.write(sheet), lot.readings())


@kind("unit spelled out in the header", 1, ALL)
def _(bench: Bench) -> Case:
    unit = bench.pick(list(SPELLED))
    lot, sheet, quantity = scaled(bench, unit, SPELLED)
    sheet.names[-1] = f"{quantity} [{unit}]"
    if bench.reader == "matlab":
        sheet.names[-1] = f"{quantity}_{unit.replace('-', '')}"
    return Case(bench.write(sheet), lot.readings())


@kind("unreadable unit in the header", 1, TEXT + EXCEL + ("hdf5", "parquet", "tdms"))
def _(bench: Bench) -> Case:
    unit = bench.pick(UNREADABLE)
    lot, sheet, _ = scaled(bench, "kohm", KNOWN)
    sheet.names[-1] = f"resistance [{unit}]"
    shown = re.escape(unit.replace("/", "_")) if bench.reader == "hdf5" else re.escape(unit)
    return Case(bench.write(sheet), None, must_refuse=shown, ways=[lot.readings()])


@kind("unit at the end of the name", 1, ALL)
def _(bench: Bench) -> Case:
    unit = bench.pick(["kohm", "kOhm", "MOhm", "KOHM"])
    lot = bench.lot()
    name = bench.pick(["resistance", "R", "Resistance", "R_read"])
    sheet = long_sheet(lot, f"{name}_{unit}", digits(1e-6 if unit == "MOhm" else 1e-3))
    return Case(bench.write(sheet), lot.readings())


@kind("unit spelled out at the end of the name", 1, ALL)
def _(bench: Bench) -> Case:
    unit = bench.pick(["kiloohm", "kilohms", "megaohm"])
    lot = bench.lot()
    sheet = long_sheet(lot, f"resistance_{unit}", digits(1e-6 if unit == "megaohm" else 1e-3))
    return Case(bench.write(sheet), lot.readings())


KEYS = {"hdf5": ("unit", "units", "UNIT", "UNITS", "Unit", "Units"), "parquet": ("unit", "units", "UNIT", "Units"),
        "tdms": ("unit_string", "NI_UnitDescription")}  # fmt: skip


def _value(bench: Bench, unit: str) -> object:
    """A unit as h5py may find it stored: text, bytes, arrays of either."""
    if bench.reader != "hdf5":
        return unit
    variants = [unit, np.bytes_(unit.encode()), np.array([unit], dtype=h5py.string_dtype()), np.array([unit.encode()])]
    return bench.pick(variants)


@kind("unit in the metadata of the column", 1, ("hdf5", "parquet", "tdms"))
def _(bench: Bench) -> Case:
    unit = bench.pick(["kohm", "kOhm", "MOhm", "kΩ"])
    lot, sheet, quantity = scaled(bench, unit, KNOWN)
    sheet.unit_key = bench.pick(KEYS[bench.reader])
    sheet.units = {quantity: _value(bench, unit)}
    return Case(bench.write(sheet), lot.readings())


@kind("conductance unit in the metadata of the column", 1, ("hdf5", "parquet", "tdms"))
def _(bench: Bench) -> Case:
    unit = bench.pick(["uS", "µS", "nS", "mS"])
    lot, sheet, quantity = scaled(bench, unit, KNOWN)
    sheet.unit_key = bench.pick(KEYS[bench.reader])
    sheet.units = {quantity: _value(bench, unit)}
    return Case(bench.write(sheet), lot.readings())


@kind("unit spelled out in the metadata of the column", 1, ("hdf5", "parquet", "tdms"))
def _(bench: Bench) -> Case:
    unit = bench.pick(list(SPELLED))
    lot, sheet, quantity = scaled(bench, unit, SPELLED)
    sheet.unit_key = bench.pick(KEYS[bench.reader])
    sheet.units = {quantity: _value(bench, unit)}
    return Case(bench.write(sheet), lot.readings())


@kind("unreadable unit in the metadata of the column", 1, ("hdf5", "parquet", "tdms"))
def _(bench: Bench) -> Case:
    unit = bench.pick(UNREADABLE)
    lot, sheet, quantity = scaled(bench, "kohm", KNOWN)
    sheet.unit_key = bench.pick(KEYS[bench.reader])
    sheet.units = {quantity: _value(bench, unit)}
    return Case(bench.write(sheet), None, must_refuse=re.escape(unit), ways=[lot.readings()])


def _matrix(bench: Bench, name: str, values: np.ndarray, lot: Lot, **attributes: object) -> Case:
    path = bench.folder / "matrix.h5"
    with h5py.File(path, "w") as file:
        file["pulse"] = lot.pulses
        file.create_dataset("device", data=np.array(lot.names, dtype=object), dtype=h5py.string_dtype())
        dataset = file.create_dataset(name, data=values)
        for key, value in attributes.items():
            dataset.attrs[key] = value
    return Case(path, lot.readings())


@kind("matrix with its unit in the name", 1, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    name = bench.pick(["resistance_kohm", "resistance_kOhm", "R_kohm", "resistance_kiloohm", "Resistance (kΩ)"])
    return _matrix(bench, name, lot.ohm[:, 0] / 1e3, lot)


@kind("matrix with its unit in an attribute", 1, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    unit = bench.pick(["kohm", "kOhm", "kiloohm"])
    return _matrix(bench, "resistance", lot.ohm[:, 0] / 1e3, lot, **{bench.pick(KEYS["hdf5"]): _value(bench, unit)})


@kind("matrix of another unit than its name says", 1, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    case = _matrix(bench, "resistance_ohm", lot.ohm[:, 0] / 1e3, lot, unit="kohm")
    return Case(case.sources, None, must_refuse="kohm", ways=[lot.readings()])


@kind("microsiemens or microseconds", 1, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    case = _matrix(bench, "conductance", 1e6 / lot.ohm[:, 0], lot, **{bench.pick(["unit", "units"]): "us"})
    return Case(case.sources, None, must_refuse=r"\bus\b", ways=[lot.readings()])


@kind("scale factor and offset", 1, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    step = float(bench.pick([1.0, 2.5, 10.0])) * lot.ohm.min() / 2e4
    offset = float(bench.pick([0.0, 1000.0, -step]))
    stored = np.round((lot.ohm - offset) / step).astype("i4")
    kept = Lot(lot.names, lot.pulses, stored * step + offset)
    about = {"scale_factor": step, "add_offset": offset, "units": "ohm"}
    if bench.rng.random() < 0.5:
        about |= {"scale_factor": np.array([step]), "add_offset": np.array([offset])}
    if bench.rng.random() < 0.5:
        case = _matrix(bench, "resistance", stored[:, 0], lot, **about)
        return Case(case.sources, kept.readings())
    sheet = long_sheet(lot, "resistance")
    sheet.columns[-1] = [int(stored[i, c, k]) for i, c, k in lot.rows()]
    sheet.attributes = {"resistance": about}
    return Case(bench.write(sheet), kept.readings())


@kind("MATLAB struct with a field for the unit", 1, ("matlab",))
def _(bench: Bench) -> Case:
    import scipy.io

    lot = bench.lot()
    field = bench.pick(["unit", "units", "R_unit", "resistance_unit"])
    structs = [
        {"device": name, "pulse": lot.pulses, "resistance": lot.ohm[i, 0] / 1e3, field: "kohm"}
        for i, name in enumerate(lot.names)
    ]
    path = bench.folder / "lot.mat"
    types = [(key, "O") for key in structs[0]]
    scipy.io.savemat(path, {"data": np.array([tuple(struct.values()) for struct in structs], dtype=types)})
    return Case(path, lot.readings())


@kind("no unit, values in ohm", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    return Case(bench.write(long_sheet(lot, "resistance")), lot.readings(), says=r"(?i)assum")


@kind("no unit, values that cannot be ohm", 1, ALL)
def _(bench: Bench) -> Case:
    level, factor = bench.pick([(4e4, 1e-3), (7e3, 1e-3), (4e4, 1e-6), (3e5, 1e3)])
    lot = bench.lot(level_ohm=level)
    path = bench.write(long_sheet(lot, bench.pick(["resistance", "R", "Resistance"]), digits(factor)))
    return Case(path, None, must_refuse="(?i)unit", ways=[lot.readings()])


@kind("no unit, wide, values that cannot be ohm", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=4e4)
    path = bench.write(wide_sheet(lot, lot.names, digits(1e-3)))
    return Case(path, None, must_refuse="(?i)unit", ways=[lot.readings()])


@kind("no unit, conductances called resistance", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot, bench.pick(["resistance", "R"]), inverse(1.0)))
    return Case(path, None, must_refuse="(?i)siemens|conductance|unit", ways=[lot.readings()])


@kind("no unit, wide, values that look like siemens", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    prefix = bench.pick(["U2_", "dev", "W"])
    sheet = wide_sheet(lot, [f"{prefix}{i}" for i in range(lot.n)], inverse(1.0))
    ways = [lot.readings(lambda name: f"{prefix}{int(name[1:])}")]
    return Case(bench.write(sheet), None, must_refuse="(?i)siemens|conductance", ways=ways)


@kind("no unit, conductances in siemens", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    return Case(bench.write(long_sheet(lot, bench.pick(["conductance", "G"]), inverse(1.0))), lot.readings())


@kind("no unit, conductances in microsiemens", 1, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot, bench.pick(["conductance", "G"]), inverse(1e6)))
    return Case(path, None, must_refuse="(?i)unit", ways=[lot.readings()])


@kind("units as a first row of texts", 1, NAMED)
def _(bench: Bench) -> Case:
    """A row of units that became a first row of data, as pandas writes it: all columns are texts."""
    lot, sheet, _ = scaled(bench, "kohm", KNOWN)
    rows = [[str(cell) for cell in column] for column in sheet.columns]
    sheet.columns = [["", *rows[0]], ["", *rows[1]], ["kohm", *rows[2]]]
    if bench.reader in ("hdf5", "matlab", "tdms"):
        sheet = Sheet(sheet.names[1:], [column[: lot.k + 1] for column in sheet.columns[1:]])
        lot = Lot(["*"], lot.pulses, lot.ohm[:1])
    return Case(write(bench.folder, bench.reader, sheet), lot.readings())
