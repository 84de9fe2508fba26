"""EasyEXPERT CSV: records, curves, stripped files, and lines that are cut."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces
from weakreset.traces.readers.b1500a import B1500aReader

SWEEP = """
SetupTitle, IV\tSweep
PrimitiveTest, I/V Sweep
TestParameter, Channel.IName, DrainI, SrcI
TestParameter, Channel.VName, DrainV, GateV
TestParameter, Channel.Func, VAR1, VAR2
TestParameter, Channel.Mode, V, V
TestParameter, Measurement.Secondary.Start, 0.5
TestParameter, Measurement.Secondary.Count, 2
TestParameter, Measurement.Secondary.Step, 0.25
TestParameter, Function.User.Name, Rd
TestParameter, Function.User.Unit, ohm
Dimension1, 3, 3, 3
Dimension2, 2, 2, 2
DataName, DrainV, DrainI, Rd
"""
ROWS = "".join(f"DataValue, {v}, {i}E-06, {r}\n" for v, i, r in zip("012012", "123456", "789123", strict=True))


@pytest.fixture
def made(tmp_path):
    def make(text, name="b.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_curves_of_a_secondary_sweep_are_cycles_and_its_values_are_rebuilt(made):
    path = made(SWEEP + ROWS)
    table = B1500aReader().read(path).tables[0]
    names = ("device", "cycle", "point", "record", "DrainV [V]", "DrainI [A]", "Rd [ohm]", "curve", "GateV [V]")
    assert table.names == names
    assert table.numbers(8).values.tolist() == [0.5, 0.5, 0.5, 0.75, 0.75, 0.75]
    traces = load_traces(path, column_map="pulse=point", limits=None)
    assert [t.pulses.tolist() for t in traces] == [[0, 1, 2], [0, 1, 2]]
    assert {t.cycle: t.resistance_ohm.tolist() for t in traces} == {0: [7, 8, 9], 1: [1, 2, 3]}


def test_nothing_is_guessed_where_no_column_counts_pulses(made):
    with pytest.raises(TraceFormatError, match="--map pulse=COLUMN"):
        load_traces(made(SWEEP + ROWS))


def test_two_currents_are_not_two_devices(made):
    text = "DataName, Pulse, I1 (A), I2 (A)\nDataValue, 0, 1E-6, 2E-6\nDataValue, 1, 1E-6, 2E-6\n"
    with pytest.raises(TraceFormatError, match="could each be the current"):
        load_traces(made(text), read_voltage_v=0.1)


def test_a_file_stripped_to_its_data(made):
    traces = load_traces(made("DataName, pulse, R\nDataValue, 0, 5e3\nDataValue, 1, 6e3\n"), limits=None)
    assert [(t.device, t.pulses.tolist(), t.resistance_ohm.tolist()) for t in traces] == [("b", [0, 1], [5e3, 6e3])]


def test_records_whose_columns_differ(made):
    text = "SetupTitle, a\nDataName, pulse, R\nDataValue, 0, 1\nDataValue, 1, 2\n"
    text += "SetupTitle, b\nDataName, T, R, pulse\nDataValue, 9, 3, 0\nDataValue, 9, 4, 1\n"
    traces = load_traces(made(text), limits=None)
    assert [t.resistance_ohm.tolist() for t in traces] == [[1, 2], [3, 4]]
    assert np.isnan(traces["b"].extras["T"]).all()
    assert traces["b#1"].extras["T"].tolist() == [9, 9]


def test_the_file_name_names_the_device(made):
    text = "DataName, pulse, R\nDataValue, 0, 5e3\nDataValue, 1, 6e3\n"
    path = made(text, "I_V Sweep [W3 R07(2) first try; 28_05_2025 10_51_21].csv")
    assert [t.device for t in load_traces(path, limits=None)] == ["W3 R07"]


def test_a_bad_cell_is_named_with_its_line(made):
    rows = "".join(f"DataValue, {i}, {'x' if i == 4 else 5}\n" for i in range(9))
    excluded = load_traces(made("SetupTitle, a\nDataName, pulse, R\n" + rows), limits=None).exclusions
    assert [(e.pulse, e.value, e.line, e.reason) for e in excluded] == [(4, "x", 7, "not a number")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SWEEP, "no DataValue line"),
        (SWEEP + ROWS + ROWS, "12 data lines"),
        (SWEEP.replace("3, 3, 3", "9" * 5000 + ", 3, 3") + ROWS, "columns must agree"),
        (SWEEP.replace("Dimension1, 3, 3, 3", "Dimension1, 0, 0, 0") + ROWS, "0 x 2"),
        ("DataValue, 1, 2\n", "before any DataName"),
        ("DataName, pulse, R\nDataValue, 0, 1\nDataValue, 1, 2, 3\n", "line 3"),
        ("DataName, pulse, R\nDataValue, 0, 1\nDataValoe, 1, 2\n", "line 3.*not a keyword"),
        ("DataName, pulse, R\nDataValue, 0, 1\n\nDataValue, 1, 2\n", "line 4.*follow each other"),
        ("DataName" + ", a" * 3000 + "\nDataValue, 1\n", "3000 columns"),
        ("DataName, a\nDataValue, 1\n" * 10_001, "more than 10000 test records"),
    ],
)
def test_files_that_cannot_be_right_are_refused(made, text, words):
    with pytest.raises(TraceFormatError, match=f"b.csv.*{words}"):
        load_traces(made(text), format="b1500a")
