"""Rules 3 to 5: what people leave in a table: indices, addresses, statistics, remarks, merged cells,
several reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.lab_files.bench import Bench, digits, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot, Readings
from tests.lab_files.sheet import EXCEL, TEXT, Cell, Sheet

COMMON = (*TEXT, "xlsx")


def insert(sheet: Sheet, at: int, name: str, cells: Sequence[Cell]) -> None:
    sheet.names.insert(at, name)
    sheet.columns.insert(at, list(cells))


def append_rows(sheet: Sheet, rows: Sequence[Sequence[Cell]]) -> None:
    for row in rows:
        for column, cell in zip(sheet.columns, [*row, *[None] * (len(sheet.columns) - len(row))], strict=True):
            column.append(cell)


def addressed(lot: Lot, rename: Callable[[int], str]) -> Readings:
    return {(rename(lot.names.index(key[0])), *key[1:]): ohm for key, ohm in lot.readings().items()}


# -- columns in front ---------------------------------------------------------------------------------------------


for _name in ("", "Unnamed: 0", "index", "Index", "#", "No", "No.", "Row", "row_number", "Point", "Nr", "n",
    "Sr. No.",
              "S/N", "line", "id", "ID", "Sample #", "Record", "Meas #", "Read #"):  # fmt: skip

    @kind(f"rows numbered by a column called {_name or 'nothing'}", 5, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        """A number of the row over all devices stands first."""
        lot = bench.lot()
        lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
        sheet = long_sheet(lot, "R (ohm)")
        insert(sheet, 0, name, range(int(bench.pick([0, 1])), len(sheet.columns[0]) + 1))
        return Case(bench.write(sheet), lot.readings())

    @kind(f"rows of all devices numbered by {_name or 'nothing'}, and no pulses", 5, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        """The number of the row runs on from device to device: taken for pulses, it is that of another device."""
        lot = bench.lot()
        sheet = long_sheet(lot, "R (ohm)", pulse="gone")
        del sheet.names[1], sheet.columns[1]
        insert(sheet, 0, name, range(int(bench.pick([0, 1])), len(sheet.columns[0]) + 1))
        one = {(d, c, p + 1): ohm for (d, c, p), ohm in lot.readings().items()}
        return Case(bench.write(sheet), None, look=lambda traces: _starts_low(traces), ways=[lot.readings(), one])

    @kind(f"wide, rows numbered by {_name or 'nothing'}", 5, COMMON)
    def _(bench: Bench, name: str = _name) -> Case:
        lot = bench.lot()
        lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
        sheet = wide_sheet(lot, [f"{device} (ohm)" for device in lot.names])
        insert(sheet, 0, name, range(int(bench.pick([0, 1])), lot.k + 1))
        return Case(bench.write(sheet), lot.readings())


def _starts_low(traces: object) -> str:
    late = [trace for trace in traces if trace.pulses[0] > 1]  # type: ignore[attr-defined]
    return f"{late[0].device} begins at pulse {late[0].pulses[0]}" if late else ""


for _name, _stamp in (
    ("Time", "2024-03-01T12:{:02d}:{:02d}"), ("Timestamp", "01.03.2024 12:{:02d}:{:02d}"),
    ("Date/Time", "3/1/2024 12:{:02d}:{:02d} PM"), ("DateTime", "2024-03-01 12:{:02d}:{:02d}.250"),
):  # fmt: skip

    @kind(f"time stamps first, called {_name}", 5, COMMON)
    def _(bench: Bench, name: str = _name, stamp: str = _stamp) -> Case:
        lot = bench.lot()
        sheet = long_sheet(lot, "R (ohm)")
        insert(sheet, 0, name, [stamp.format(i // 60 % 60, i % 60) for i in range(len(sheet.columns[0]))])
        return Case(bench.write(sheet), lot.readings())

    @kind(f"wide, time stamps first, called {_name}", 5, COMMON)
    def _(bench: Bench, name: str = _name, stamp: str = _stamp) -> Case:
        lot = bench.lot()
        sheet = wide_sheet(lot, lot.names)
        insert(sheet, 0, name, [stamp.format(i // 60 % 60, i % 60) for i in range(lot.k)])
        return Case(bench.write(sheet), lot.readings())


@kind("seconds since 1970 first", 5, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    insert(sheet, 0, bench.pick(["time", "t (s)", "epoch", "unix_time"]),
        [1.7e9 + i for i in range(len(sheet.columns[0]))])
    return Case(bench.write(sheet), lot.readings())


@kind("row names of R, a cell less in the header", 5, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R_ohm")
    rows = sheet.rows()
    separator = {"csv": ",", "semicolon": ";", "tab": "\t"}[bench.reader]
    lines = [separator.join(map(str, row)) for row in rows]
    text = "\n".join([lines[0], *(f'"{i}"{separator}{line}' for i, line in enumerate(lines[1:], 1))]) + "\n"
    path = bench.folder / "lot.csv"
    path.write_text(text)
    return Case(path, lot.readings())


# -- addresses ----------------------------------------------------------------------------------------------------


for _names in (("X", "Y"), ("x", "y"), ("Die X", "Die Y"), ("die_x", "die_y"), ("WL", "BL"), ("Row", "Col"),
    ("Site", "Cell"),
               ("Wafer", "Die"), ("Block", "Bit"), ("Chip", "Device"), ("Module", "Site"), ("word line", "bit line"),
               ("i", "j"), ("Array", "Address"), ("Lot", "Wafer"), ("Die", "Device"), ("sector", "page"),
               ("slot", "channel")):

    @kind(f"devices addressed by {_names[0]} and {_names[1]}", 3, COMMON)
    def _(bench: Bench, names: tuple[str, str] = _names) -> Case:
        """Two columns name the device together; neither does alone."""
        lot = bench.lot(n=6)
        sheet = long_sheet(lot, "R (ohm)", device="gone")
        owner = [i for i, _, _ in lot.rows()]
        del sheet.names[0], sheet.columns[0]
        insert(sheet, 0, names[0], [i // 3 for i in owner])
        insert(sheet, 1, names[1], [i % 3 for i in owner])
        return Case(bench.write(sheet), None, look=lambda traces: _apart(traces, lot), ways=[
            addressed(lot, lambda i: f"{i // 3}/{i % 3}")
        ])  # fmt: skip


def _apart(traces: object, lot: Lot) -> str:
    """Six devices of one cycle each, with their readings."""
    found = list(traces)  # type: ignore[call-overload]
    if len({trace.device for trace in found}) != lot.n:
        return f"{len({trace.device for trace in found})} devices where there are {lot.n}"
    starts = sorted(float(trace.resistance_ohm[0]) for trace in found)
    return "" if np.allclose(starts, sorted(lot.ohm[:, 0, 0]), rtol=1e-4) else "other readings"


@kind("a device named once, cells below it empty", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.columns[0] = [cell if r % lot.k == 0 else None for r, cell in enumerate(sheet.columns[0])]
    return Case(bench.write(sheet), lot.readings())


@kind("devices numbered 1.0, 2.0", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    sheet = long_sheet(lot, "R (ohm)")
    sheet.columns[0] = [f"{int(cell[1:]) + 1}.0" for cell in sheet.columns[0]]
    return Case(bench.write(sheet), addressed(lot, lambda i: f"{i + 1}.0"), look=lambda traces: _apart(traces, lot))


@kind("interleaved devices", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    order = sorted(range(len(sheet.columns[0])), key=lambda r: (sheet.columns[1][r], sheet.columns[0][r]))
    sheet.columns = [[column[r] for r in order] for column in sheet.columns]
    return Case(bench.write(sheet), lot.readings())


@kind("interleaved devices, rows in any order", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    order = bench.rng.permutation(len(sheet.columns[0]))
    sheet.columns = [[column[r] for r in order] for column in sheet.columns]
    return Case(bench.write(sheet), lot.readings())


@kind("newest reading first", 3, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.columns = [column[::-1] for column in sheet.columns]
    return Case(bench.write(sheet), lot.readings())


# -- wide names ---------------------------------------------------------------------------------------------------


for _style in ("{}", "({},{})", "WL{}_BL{}", "X{}Y{}", "{}-{}", "W{}-D{}", "[{}][{}]", "r{}c{}"):

    @kind(f"wide, devices called {_style.format(1, 2)}", 4, COMMON)
    def _(bench: Bench, style: str = _style) -> Case:
        lot = bench.lot(n=4)
        names = [style.format(*((i + 1,) if style == "{}" else (i // 2, i % 2))) for i in range(lot.n)]
        lot = Lot(names, 10 * lot.pulses, lot.ohm)
        case = Case(bench.write(wide_sheet(lot, names)), None, look=lambda traces: _apart(traces, lot))
        case.ways = [lot.readings()]
        return case


@kind("wide, devices numbered, pulses below a corner of both", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=4)
    lot = Lot(lot.names, 10 * lot.pulses, lot.ohm)
    corner = bench.pick(["pulse\\device", "pulse / device", "Pulse vs device", "device → pulse ↓"])
    sheet = wide_sheet(lot, ["1", "2", "3", "4"], pulse=corner)
    return Case(bench.write(sheet), None, look=lambda traces: _apart(traces, lot), ways=[lot.readings()])


@kind("a row a device, pulses below a corner of both", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=4, k=45)
    corner = bench.pick(["device\\pulse", "device / pulse", "Device vs pulse"])
    sheet = Sheet([corner, *(str(10 * k) for k in range(lot.k))], [list(lot.names), *lot.ohm[:, 0].T.tolist()])
    return Case(bench.write(sheet), None, look=lambda traces: _apart(traces, lot), ways=[lot.readings()])


for _more in ("Mean", "Rmean (ohm)", "Average (ohm)", "Std", "median", "sum", "Total", "R_ref (ohm)",
    "R_target (ohm)",
              "R_series (ohm)", "Rload (ohm)", "V_reset (V)", "T (K)", "Comment", "Status", "OK?", "Vread (V)",
              "Icc (A)",
              "% change", "yield", "Count"):  # fmt: skip

    @kind(f"wide beside {_more}", 4, COMMON)
    def _(bench: Bench, more: str = _more) -> Case:
        lot = bench.lot(level_ohm=2e4)
        sheet = wide_sheet(lot, [f"{device} (ohm)" for device in lot.names])
        mean = lot.ohm[:, 0].mean(0)
        cells: list[Cell] = [float(f"{value:.6g}") for value in mean]
        if more in ("R_ref (ohm)", "R_target (ohm)", "R_series (ohm)", "Rload (ohm)"):
            cells = [10000.0] * lot.k
        elif more in ("Comment", "Status", "OK?"):
            cells = ["ok"] * lot.k
        elif not any(word in more.lower() for word in ("mean", "average", "median", "sum", "total")):
            cells = [300.0 + 0.5 * k for k in range(lot.k)]
        insert(sheet, len(sheet.names), more, cells)
        return Case(bench.write(sheet), lot.readings())


for _pair in (("R_before (ohm)", "R_after (ohm)"), ("R+ (ohm)", "R- (ohm)"), ("R_LRS (ohm)", "R_HRS (ohm)"),
    ("R1 (ohm)", "R2 (ohm)"),
              ("R_set (ohm)", "R_reset (ohm)"), ("R_fresh (ohm)", "R_1h (ohm)"), ("R (ohm)", "R_raw (ohm)"),
              ("R_up (ohm)", "R_down (ohm)")):  # fmt: skip

    @kind(f"two readings a pulse: {_pair[0]}, {_pair[1]}, of named devices", 4, COMMON)
    def _(bench: Bench, pair: tuple[str, str] = _pair) -> Case:
        lot = bench.lot()
        sheet = long_sheet(lot, pair[0])
        insert(sheet, 3, pair[1], [float(f"{1.3 * cell:.6g}") for cell in sheet.columns[2]])
        second = {key: 1.3 * ohm for key, ohm in lot.readings().items()}
        case = Case(bench.write(sheet), None, look=lambda traces: _one_of(traces, lot), ways=[lot.readings(), second])
        return case


def _one_of(traces: object, lot: Lot) -> str:
    wrong = {trace.device for trace in traces} ^ set(lot.names)  # type: ignore[attr-defined]
    return f"other devices: {sorted(wrong)[:3]}" if wrong else ""


# -- rows that are no readings ------------------------------------------------------------------------------------


for _label in ("mean", "Mean", "Average", "std", "Std. Dev.", "min", "max", "median", "Total", "SUM", "N",
    "Count", "σ",
               "Mittelwert", "CV (%)"):  # fmt: skip

    @kind(f"a row of statistics called {_label}, wide", 5, COMMON)
    def _(bench: Bench, label: str = _label) -> Case:
        lot = bench.lot()
        sheet = wide_sheet(lot, lot.names)
        gap = bench.pick([[], [[None]]])
        append_rows(sheet, [*gap, [label, *(float(f"{value:.6g}") for value in lot.ohm[:, 0].mean(1))]])
        return Case(bench.write(sheet), lot.readings())

    @kind(f"a row of statistics called {_label}, long", 5, COMMON)
    def _(bench: Bench, label: str = _label) -> Case:
        lot = bench.lot()
        sheet = long_sheet(lot, "R (ohm)")
        gap = bench.pick([[], [[None]]])
        append_rows(sheet, [*gap, [label, None, float(f"{lot.ohm.mean():.6g}")]])
        return Case(bench.write(sheet), lot.readings())


@kind("statistics above the data", 5, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = wide_sheet(lot, lot.names)
    sheet.below = [[name, *(float(f"{value:.6g}") for value in lot.ohm[:, 0].mean(1))] for name in ("mean", "std")]
    return Case(bench.write(sheet), lot.readings())


@kind("statistics in numbered rows behind the data", 5, COMMON)
def _(bench: Bench) -> Case:
    """A second block below, of another table: device, mean, std."""
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    means = [[name, float(f"{lot.ohm[i].mean():.6g}"), 123.4] for i, name in enumerate(lot.names)]
    append_rows(sheet, [[None], ["device", "mean", "std"], *means])
    return Case(bench.write(sheet), lot.readings())


for _line in ("# SET applied", "--- cycle 2 ---", "// paused", "* checked", "; remark", "Page 2 of 7", "END",
    "EOF", "[end]",
              "measurement aborted by user", "Total points: 200", "checksum;8F2A"):  # fmt: skip

    @kind(f"the line {_line} between and behind readings", 5, TEXT)
    def _(bench: Bench, line: str = _line) -> Case:
        lot = bench.lot()
        path = bench.write(long_sheet(lot, "R (ohm)"))
        lines = path.read_text().splitlines()
        lines.insert(1 + lot.k, line)
        path.write_text("\n".join([*lines, line]) + "\n")
        return Case(path, lot.readings())


@kind("a header on every page", 5, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3, k=60)
    sheet = long_sheet(lot, "R (ohm)")
    rows = sheet.rows()
    pages = [rows[0]]
    for start in range(1, len(rows), 50):
        pages += [*([[None], ["Page", start // 50 + 1], rows[0]] if start > 1 else []), *rows[start : start + 50]]
    width = len(rows[0])
    page = Sheet([], [list(c) for c in zip(*[[*row, *[None] * (width - len(row))] for row in pages], strict=True)])
    page.header = False
    return Case(bench.write(page), lot.readings())


@kind("a preamble of 150 lines", 5, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (ohm)")
    sheet.above = [[f"Setting {i}", float(i)] for i in range(150)]
    return Case(bench.write(sheet), lot.readings())


@kind("sections of an ini file", 5, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    sheet = long_sheet(lot, "R (kohm)", digits(1e-3))
    sheet.above = [["[Header]"], ["Operator=A. B."], ["Points=200"], ["[Units]"], ["R=kohm"], ["[Data]"]]
    return Case(bench.write(sheet), lot.readings())


@kind("two tables side by side", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2)
    cells = [[int(p) for p in lot.pulses], lot.ohm[0, 0].tolist(), [None] * lot.k,
        [int(p) for p in lot.pulses], lot.ohm[1, 0].tolist()]
    sheet = Sheet(["pulse", "R (ohm)", "", "pulse", "R (ohm)"], cells, above=[[lot.names[0], None, None,
        lot.names[1], None]])
    return Case(bench.write(sheet), None, look=lambda traces: _apart(traces, lot), ways=[lot.readings()])


@kind("values in a column value, named in a column beside it", 4, COMMON)
def _(bench: Bench) -> Case:
    """Tidy tables hold resistances and temperatures in one column."""
    lot = bench.lot(level_ohm=2e4)
    rows = [
        [lot.names[i], int(lot.pulses[k]), name, value]
        for i, c, k in lot.rows()
        for name, value in (("R (ohm)", float(lot.ohm[i, c, k])), ("T (K)", 300.0 + k))
    ]
    sheet = Sheet(["device", "pulse", bench.pick(["variable", "quantity", "parameter"]), "value"],
        [list(c) for c in zip(*rows, strict=True)])
    return Case(bench.write(sheet), None, look=lambda traces: "temperatures among resistances" if any(
        trace.resistance_ohm.min() < 1000 for trace in traces) else "", ways=[lot.readings()])  # fmt: skip


@kind("two levels of header of pandas", 4, ("csv", "tab"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    above = [None, *(name for name in lot.names for _ in (0, 1))]
    names = ["", *("pulse", "R (ohm)") * lot.n]
    cells: list[list[Cell]] = [list(range(lot.k))]
    for i in range(lot.n):
        cells += [[int(p) for p in lot.pulses], lot.ohm[i, 0].tolist()]
    return Case(bench.write(Sheet(names, cells, above=[above])), lot.readings())


@kind("several reads after each pulse, in rows", 4, COMMON)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    rows = [
        [lot.names[i], int(lot.pulses[k]), read, float(f"{lot.ohm[i, c, k] * (1 + 1e-3 * read):.6g}")]
        for i, c, k in lot.rows() for read in range(3)
    ]  # fmt: skip
    sheet = Sheet(["device", "pulse", bench.pick(["read", "repeat", "read no"]), "R (ohm)"],
        [list(c) for c in zip(*rows, strict=True)])
    return Case(bench.write(sheet), lot.readings())
