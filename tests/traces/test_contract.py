"""The contract of readers: on the ground, one table in memory, and no step that changes what it is given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.test_house import MODULES, graph_of, in_a_circle
from weakreset.errors import WeakResetError
from weakreset.traces import ColumnsTable, FileContent, column_of, inspect_traces, load_traces, parse_map, recognise
from weakreset.traces.assemble import find_traces
from weakreset.traces.layout import find_layout
from weakreset.traces.readers import wire
from weakreset.traces.readers.delimited import DelimitedReader
from weakreset.traces.readings import find_readings

CSV = "device,pulse,R,note\n" + "".join(
    f"{name},{i},{value},x\n"
    for name in ("A", "B", "")
    for i, value in [*((i, 7000 + i) for i in range(40)), (40, ""), (40, 7100), (40, 7101), (2.5, 1), (41, "bad")]
)


def test_readers_loaded_by_name_are_in_no_circle_either():
    graph = graph_of(MODULES)
    for module in {*recognise._BINARY_FIRST, *recognise._TEXT, *recognise._BINARY}:
        graph["weakreset.traces.recognise"].add(f"weakreset.traces.readers.{module}")
    assert not {name for name in in_a_circle(graph) if name.startswith("weakreset.traces")}
    graph["weakreset.traces.contract"].add("weakreset.traces.recognise")
    assert "weakreset.traces.readers.hdf5" in in_a_circle(graph)  # it would be seen


def test_the_contract_lies_below_everything():
    assert graph_of(MODULES)["weakreset.traces.contract"] == set()


@pytest.mark.parametrize("block", [False, True])
def test_a_block_is_columns(block):
    values = np.arange(12.0).reshape(3, 4)
    names = ["device", "0", "5", "6", "9"]
    device = column_of(["A", "", "B"])
    table = ColumnsTable(names, [device], block=values) if block else ColumnsTable(names, [device, *values.T])
    (table,) = wire.unpack(b"".join(wire.pack(FileContent([table])))).tables
    assert table.n_rows == 3
    assert table.codes(0)[0].tolist() == [0, -1, 1]
    assert table.numbers(3).values.tolist() == values[:, 2].tolist()
    assert table.as_is(4).tolist() == values[:, 3].tolist()
    assert table.text(1).tolist() == ["0", "4", "8"]
    assert table.matrix([1, 2, 3, 4])[0].tolist() == values.tolist()
    assert table.matrix([2, 4])[0].tolist() == values[:, [1, 3]].tolist()


@pytest.mark.parametrize(
    ("cells", "codes", "names"),
    [
        (["A", "", "B", "A"], [0, -1, 1, 0], ["A", "B"]),
        ([7, None, 7.0, 8], [0, -1, 0, 1], ["7", "8"]),
        ([" A", "A", "", None], [0, 0, -1, -1], ["A"]),
        (["7", 7, 1.5, ""], [0, 0, 1, -1], ["7", "1.5"]),
    ],
)
def test_an_empty_cell_names_no_device(cells, codes, names):
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    for table in (ColumnsTable(["device"], [column]), ColumnsTable(["device"], [column_of(cells)])):
        found = table.codes(0)
        assert (found[0].tolist(), found[1]) == (codes, names)


def test_a_step_changes_nothing_that_it_is_given(tmp_path):
    path = tmp_path / "lab.csv"
    path.write_text(CSV)
    (table,) = DelimitedReader().read(path).tables
    layout = find_layout(table, parse_map(None), "lab.csv")
    readings = find_readings(table, layout, "lab.csv", "lab")
    before = (readings.reason.tolist(), dict(readings.shown), readings.cells.pulse.tolist())
    first, second = (find_traces(readings, table, layout, "lab.csv") for _ in range(2))
    assert str(before) == str((readings.reason.tolist(), dict(readings.shown), readings.cells.pulse.tolist()))
    assert first.to_frame().equals(second.to_frame())
    assert first.exclusions == second.exclusions
    assert len({item.reason for item in first.exclusions}) >= 5
    for value in (layout, readings, readings.cells):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, None)


@pytest.mark.parametrize("content", [CSV, "a,b\nx,y\n", "pulse,R [furlong]\n0,1\n"])
def test_a_file_is_opened_once_whether_it_is_understood_or_not(tmp_path, monkeypatch, content):
    path = tmp_path / "lab.csv"
    path.write_text(content)
    opened = []
    read = DelimitedReader.read
    monkeypatch.setattr(DelimitedReader, "read", lambda self, path: opened.append(path) or read(self, path))
    (inspection,) = inspect_traces(path)
    assert opened == [path]
    assert inspection.format == "delimited"
    assert bool(inspection.problem) == (content != CSV)


def test_readers_of_binary_formats_are_not_loaded_for_a_csv(tmp_path):
    import subprocess
    import sys

    (tmp_path / "lab.csv").write_text(CSV)
    code = f"import sys, weakreset as wr; wr.load_traces({str(tmp_path / 'lab.csv')!r}); print('h5py' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_options_that_make_no_sense_are_refused_before_a_file_is_opened(tmp_path):
    for options in ({"read_voltage_v": 0.0}, {"where": "a=b"}, {"column_map": "pulse"}):
        with pytest.raises(WeakResetError, match=r"voltage|where|map"):
            load_traces(tmp_path / "absent.csv", **options)
