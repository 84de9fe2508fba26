"""Workbooks: plain ones, those of a Keithley 4200, and those that no instrument wrote."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
import xlwt

from tests.traces.formats import DATA
from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces


@pytest.fixture
def made(tmp_path):
    def make(**sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title.replace("_", " "))
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return make


def read(path, **options):
    return {(t.device, t.cycle): t.resistance_ohm.tolist() for t in load_traces(path, limits=None, **options)}


def test_wide_sheets_and_several_of_them(made):
    rows = [["pulse", "A1", "A2"], [0, 5e3, 6e3], [1, 5.1e3, 6.1e3]]
    assert read(made(anything=rows)) == {("A1", 0): [5e3, 5.1e3], ("A2", 0): [6e3, 6.1e3]}
    long = [["pulse", "R"], [0, 5e3], [1, 6e3]]
    assert read(made(W1=long, W2=long, notes=[["by hand"]])) == {("W1", 0): [5e3, 6e3], ("W2", 0): [5e3, 6e3]}


def test_a_sheet_without_header_needs_a_map(made):
    path = made(a=[[0, 5e3], [1, 6e3]])
    with pytest.raises(TraceFormatError, match="no header"):
        load_traces(path)
    assert read(path, column_map="pulse=0,resistance=1") == {("book", 0): [5e3, 6e3]}


def test_bad_cells_are_named_with_their_row(made):
    rows = [["remark"], ["pulse", "R"], *([i, "burnt" if i == 3 else None if i == 4 else 5e3] for i in range(9))]
    excluded = load_traces(made(a=rows), limits=None).exclusions
    assert [(e.pulse, e.value, e.reason, e.line) for e in excluded] == [
        (3, "burnt", "not a number", 6),
        (4, "", "missing reading (empty or NaN)", 7),
    ]


def test_formulas_are_not_computed(made):
    rows = [["pulse", "R"], *([i, "=5000+1" if i == 2 else 5e3] for i in range(5))]
    excluded = load_traces(made(a=rows), limits=None).exclusions
    assert [(e.pulse, e.reason) for e in excluded] == [(2, "missing reading (empty or NaN)")]


def test_runs_of_a_4200_in_the_order_of_their_numbers(made):
    def run(*ohms):
        return [["PulseNo", "R"], *([i, ohm] for i, ohm in enumerate(ohms))]

    sheets = {"Run10": run(3, 4), "Settings": [["Run9"]], "Run9": run(1, 2), "W=0.25um L=1um": run(5, 6), "Calc": []}
    traces = load_traces(made(**sheets), column_map="pulse=PulseNo", limits=None)
    assert {t.key: t.resistance_ohm.tolist() for t in traces} == {
        "book": [1, 2], "book#1": [3, 4], "W=0.25um L=1um": [5, 6],
    }  # fmt: skip
    assert "left out: Settings, Calc" in traces.sources[0].why


def test_columns_of_the_4200_get_their_units_and_repeated_names_a_number():
    traces = load_traces(DATA / "keithley_4200.xls")
    extras = traces["keithley_4200"].extras
    assert {"Time [s]", "Time [s].1", "AnodeI [A]", "sheet", "block"} <= set(extras)
    assert extras["Time [s].1"][1] == pytest.approx(0.0101)


def bomb(path, sheet):
    """A copy of a workbook whose first sheet is replaced."""
    content = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            is_sheet = entry.filename == "xl/worksheets/sheet1.xml"
            new.writestr(entry.filename, sheet(old.read(entry)) if is_sheet else old.read(entry))
    return path


def test_a_small_file_that_unpacks_to_much_is_refused(made):
    path = bomb(made(a=[["pulse", "R"], [0, 1]]), lambda old: old + b" " * (200 << 20))
    with pytest.raises(TraceFormatError, match=r"book\.xlsx.*decompression bomb"):
        load_traces(path)


def test_a_cell_at_the_far_corner_is_refused(made):
    path = bomb(made(a=[["pulse", "R"], [0, 1]]), lambda old: old.replace(b'r="B2"', b'r="XFD1048576"'))
    with pytest.raises(TraceFormatError, match=r"book\.xlsx.*(larger in memory|more memory|crashed)"):
        load_traces(path)


def test_a_cell_at_the_far_corner_of_an_old_workbook_is_refused(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    sheet.write(0, 0, "pulse")
    sheet.write(65535, 255, 1.0)
    book.save(str(tmp_path / "b.xls"))
    content = (tmp_path / "b.xls").read_bytes()
    number = content.index(b"\x03\x02\x0e\x00\xff\xff\xff\x00") if b"\x03\x02\x0e\x00\xff\xff\xff\x00" in content else 0
    if not number:
        number = content.index(b"\x7e\x02\x0a\x00\xff\xff\xff\x00")
    (tmp_path / "b.xls").write_bytes(content[: number + 6] + b"\xff\xff" + content[number + 8 :])
    with pytest.raises(TraceFormatError, match=r"b\.xls.*(larger in memory|more memory|crashed)"):
        load_traces(tmp_path / "b.xls")


def test_a_workbook_without_numbers_is_refused(made):
    with pytest.raises(TraceFormatError, match="no sheet holds numbers"):
        load_traces(made(a=[["pulse", "R"], ["x", "y"]]))
