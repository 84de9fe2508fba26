"""Files as programs and instruments write them: LabVIEW, pandas, MATLAB structs, HDF5 with a dataset a device, TDMS."""

from __future__ import annotations

from collections.abc import Callable

import h5py
import numpy as np

from tests.lab_files.bench import Bench, digits, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import EXCEL, TEXT, lines_of

COMMON = (*TEXT, "xlsx")


def has_devices(n: int) -> Callable[[object], str]:
    """A look at what was read: as many devices as there are, whatever their names."""

    def look(traces: object) -> str:
        found = len({trace.device for trace in traces})  # type: ignore[attr-defined]
        return "" if found == n else f"{found} devices where there are {n}"

    return look


@kind("a dataset a device beside pulse", 4, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
    path = bench.folder / "lot.h5"
    with h5py.File(path, "w") as file:
        file["pulse"] = lot.pulses
        for i, name in enumerate(lot.names):
            file[name] = lot.ohm[i, 0]
    return Case(path, lot.readings())


@kind("a dataset a device beside pulse, in a group, in kohm", 4, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=4e5)
    path = bench.folder / "lot.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group(bench.pick(["data", "lot7", "measurement"]))
        group["pulse"] = lot.pulses
        for i, name in enumerate(lot.names):
            group[name] = lot.ohm[i, 0] / 1e3
            group[name].attrs["unit"] = "kohm"
    return Case(path, lot.readings())


@kind("two groups of datasets a device beside pulse", 4, ("hdf5",))
def _(bench: Bench) -> Case:
    """The same names in both: D00 of die 1 is not D00 of die 2."""
    lot = bench.lot(n=4)
    path = bench.folder / "lot.h5"
    with h5py.File(path, "w") as file:
        for die in range(2):
            group = file.create_group(f"die{die}")
            group["pulse"] = lot.pulses
            for i in range(2):
                group[f"D{i}"] = lot.ohm[2 * die + i, 0]

    return Case(path, None, look=has_devices(4), ways=[lot.readings()])


@kind("a group a device with a matrix of pulse and reading", 4, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.folder / "lot.h5"
    with h5py.File(path, "w") as file:
        for i, name in enumerate(lot.names):
            file.create_group(name)["data"] = np.column_stack([lot.pulses, lot.ohm[i, 0]])
    return Case(path, lot.readings())


@kind("a table of records", 4, ("hdf5",))
def _(bench: Bench) -> Case:
    return records(bench, "table", "R_ohm", "i8")


def records(bench: Bench, dataset: str, reading: str, pulse_type: str) -> Case:
    """One dataset of records: device, pulse, and a reading of that name."""
    lot = bench.lot()
    path = bench.folder / "lot.h5"
    rows = [(lot.names[i].encode(), int(lot.pulses[k]), lot.ohm[i, c, k]) for i, c, k in lot.rows()]
    with h5py.File(path, "w") as file:
        file[dataset] = np.array(rows, dtype=[("device", "S8"), ("pulse", pulse_type), (reading, "f8")])
    return Case(path, lot.readings())


@kind("groups within groups, die and device", 3, ("hdf5",))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=4)
    path = bench.folder / "lot.h5"
    with h5py.File(path, "w") as file:
        for i in range(4):
            group = file.create_group(f"die{i // 2}/D{i % 2}")
            group["pulse"], group["resistance_ohm"] = lot.pulses, lot.ohm[i, 0]

    return Case(path, None, look=has_devices(4), ways=[lot.readings()])


@kind("a variable a device beside pulse", 4, ("matlab",))
def _(bench: Bench) -> Case:
    import scipy.io

    lot = bench.lot()
    lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
    path = bench.folder / "lot.mat"
    scipy.io.savemat(path, {"pulse": lot.pulses, **{name: lot.ohm[i, 0] for i, name in enumerate(lot.names)}})
    return Case(path, lot.readings())


@kind("a struct array", 4, ("matlab",))
def _(bench: Bench) -> Case:
    import scipy.io

    lot = bench.lot()
    field = bench.pick(["R_kohm", "R", "Resistance"])
    scale = 1e-3 if field == "R_kohm" else 1.0
    data = np.array(
        [(name, lot.pulses, lot.ohm[i, 0] * scale) for i, name in enumerate(lot.names)],
        dtype=[("name", "O"), ("pulse", "O"), (field, "O")],
    )
    path = bench.folder / "lot.mat"
    scipy.io.savemat(path, {"data": data})
    return Case(path, lot.readings())


@kind("a struct of structs", 4, ("matlab",))
def _(bench: Bench) -> Case:
    import scipy.io

    lot = bench.lot()
    path = bench.folder / "lot.mat"
    devices = {name: {"pulse": lot.pulses, "R_ohm": lot.ohm[i, 0]} for i, name in enumerate(lot.names)}
    scipy.io.savemat(path, {"devices": devices})
    return Case(path, lot.readings())


@kind("variables named after device and quantity", 4, ("matlab",))
def _(bench: Bench) -> Case:
    import scipy.io

    lot = bench.lot()
    path = bench.folder / "lot.mat"
    variables = {}
    for i, name in enumerate(lot.names):
        variables |= {f"{name}_pulse": lot.pulses, f"{name}_R": lot.ohm[i, 0]}
    scipy.io.savemat(path, variables)
    return Case(path, lot.readings())


@kind("a group a device", 4, ("tdms",))
def _(bench: Bench) -> Case:
    from nptdms import ChannelObject, TdmsWriter

    lot = bench.lot()
    path = bench.folder / "lot.tdms"
    with TdmsWriter(str(path)) as writer:
        for i, name in enumerate(lot.names):
            about = {"NI_UnitDescription": "kOhm"}
            writer.write_segment([
                ChannelObject(name, "pulse", lot.pulses), ChannelObject(name, "R", lot.ohm[i, 0] / 1e3, about)
            ])  # fmt: skip
    return Case(path, lot.readings())


@kind("a LabVIEW measurement file", 5, ("tab",))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=1)
    head = [
        "LabVIEW Measurement\t", "Writer_Version\t2", "Separator\tTab", "Decimal_Separator\t.", "Operator\tA. B.",
        "***End_of_Header***\t", "\t", "Channels\t1\t", f"Samples\t{lot.k}\t", "Y_Unit_Label\tOhms\t",
        "X0\t0.0\t", "Delta_X\t1.0\t", "***End_of_Header***\t\t", "X_Value\tResistance\tComment",
    ]  # fmt: skip
    path = bench.folder / "lot.lvm"
    path.write_text("\n".join([*head, *(f"{k}.000000\t{ohm:.6g}" for k, ohm in enumerate(lot.ohm[0, 0]))]) + "\n")
    return Case(path, {("*", 0, k): float(ohm) for k, ohm in enumerate(lot.ohm[0, 0])})


@kind("a scan of a data logger", 5, ("csv", "tab"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    separator = "," if bench.reader == "csv" else "\t"
    names = ["Scan", "Time", *(part for i in range(3) for part in (f"10{i + 1} (OHM)", f"Alarm 10{i + 1}"))]
    rows = [
        [k + 1, f"03/01/2024 12:{k // 60:02d}:{k % 60:02d}:250", *(c for i in range(3) for c in (lot.ohm[i, 0, k], 0))]
        for k in range(lot.k)
    ]
    path = bench.folder / "scan.csv"
    text = "\n".join(lines_of([["Instrument:", "34970A"], ["Total Channels:", "3"], [], names, *rows], separator))
    path.write_bytes((text + "\n").encode("utf-16"))
    truth = {(f"10{i + 1}", 0, k + 1): float(lot.ohm[i, 0, k]) for i in range(3) for k in range(lot.k)}
    return Case(path, truth)


@kind("unicode text of Excel", 5, ("tab",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    return Case(bench.write(long_sheet(lot, "R (kΩ)", digits(1e-3)), encoding="utf-16", newline="\r\n"), lot.readings())


@kind("line ends of an old Macintosh", 5, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    return Case(bench.write(long_sheet(lot, "R (kohm)", digits(1e-3)), newline="\r"), lot.readings())


@kind("all cells quoted, decimal commas in a comma-separated file", 5, ("csv",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    rows = long_sheet(lot, "R (kohm)", lambda ohm: f"{ohm / 1e3:.9g}".replace(".", ",")).rows()
    path = bench.folder / "lot.csv"
    path.write_text("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows) + "\n")
    return Case(path, lot.readings())


@kind("columns of a fixed width", 5, ("tab",))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    rows = long_sheet(lot, "R_kohm", digits(1e-3)).rows()
    path = bench.folder / "lot.txt"
    path.write_text("\n".join("".join(f"{cell!s:>16}" for cell in row) for row in rows) + "\n")
    return Case(path, lot.readings())


@kind("text under the name of a workbook", 5, ("tab", "csv"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    path = bench.write(long_sheet(lot, "R (kohm)", digits(1e-3)))
    other = path.with_suffix(".xls")
    path.rename(other)
    return Case(other, lot.readings())


@kind("a sheet a device, a summary first", 3, EXCEL)
def _(bench: Bench) -> Case:
    import openpyxl

    lot = bench.lot()
    path = bench.folder / "lot.xlsx"
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Summary"
    page.append(["device", "mean (ohm)", "n"])
    for i, name in enumerate(lot.names):
        page.append([name, float(lot.ohm[i].mean()), lot.k])
    for i, name in enumerate(lot.names):
        page = book.create_sheet(name)
        page.append(["pulse", "R (ohm)"])
        for pulse, ohm in zip(lot.pulses.tolist(), lot.ohm[i, 0].tolist(), strict=True):
            page.append([pulse, ohm])
    book.save(path)
    return Case(path, lot.readings())


@kind("a merged cell above the readings of each device", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    sheet = wide_sheet(lot, ["R (kohm)"] * 3, digits(1e-3))
    names = [lot.names[0], lot.names[1], lot.names[2]]
    sheet.above = [["", *names]]
    return Case(bench.write(sheet), lot.readings())


@kind("devices of several samples that share their names", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=6)
    sheet = long_sheet(lot, "R (ohm)")
    owner = [i for i, _, _ in lot.rows()]
    sheet.columns[0] = [f"D{i % 3}" for i in owner]
    sheet.names.insert(0, bench.pick(["Sample", "Wafer", "die", "Chip", "sample id"]))
    sheet.columns.insert(0, [f"S{i // 3}" for i in owner])

    return Case(bench.write(sheet), None, look=has_devices(6), ways=[lot.readings()])
