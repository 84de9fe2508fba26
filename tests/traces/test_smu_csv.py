"""Keithley source meter CSV: blocks, several meters, cut lines."""

from __future__ import annotations

import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces

HEADER = "Item,Smu1.V[1][1],Smu1.R[1][1],Smu1.V[1][2],Smu1.R[1][2],"


@pytest.fixture
def made(tmp_path):
    def make(text):
        path = tmp_path / "smu.csv"
        path.write_bytes(text.encode())
        return path

    return make


def test_blocks_are_cycles_and_shorter_ones_end(made):
    text = f"{HEADER}\r\n1,0.1,5e3,0.1,6e3,\r\n2,0.1,5.1e3,0.1,6.1e3,\r\n3,0.1,5.2e3,,,\r\n"
    traces = load_traces(made(text), column_map="pulse=Item", limits=None)
    assert {t.cycle: t.resistance_ohm.tolist() for t in traces} == {0: [5e3, 5.1e3, 5.2e3], 1: [6e3, 6.1e3]}
    assert traces["smu#1"].extras["step"].tolist() == [2, 2]


def test_points_are_not_taken_for_pulses(made):
    with pytest.raises(TraceFormatError, match="--map pulse=COLUMN"):
        load_traces(made(f"{HEADER}\n1,0.1,5e3,0.1,6e3,\n"))


def test_negative_and_huge_readings_near_zero_volt_are_named(made):
    rows = "".join(f"{i},0,{r},0.1,6e3,\n" for i, r in enumerate([5e3] * 8 + ["-3e11", "9.91e37"], start=1))
    excluded = load_traces(made(f"{HEADER}\n{rows}"), column_map="pulse=Item", limits=None).exclusions
    code = "overflow or error code of the instrument"
    assert [(e.pulse, e.line, e.reason) for e in excluded] == [(9, 10, "negative reading"), (10, 11, code)]


def test_two_meters_are_not_two_devices(made):
    text = "Item,Smu1.R[1][1],Smu2.R[1][1],\n1,5e3,7e3,\n2,5e3,7e3,\n"
    with pytest.raises(TraceFormatError, match="could each be the resistance"):
        load_traces(made(text), column_map="pulse=Item")
    traces = load_traces(made(text), column_map="pulse=Item,resistance=Smu2.R [ohm]", limits=None)
    assert traces["smu"].resistance_ohm.tolist() == [7e3, 7e3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEADER}\n1,0.1,5e3,0.1,6e3,\n2,0.1,5e3", "line 3.*cut"),
        (f"{HEADER}\n1,0.1,5e3,0.1,6e3,2,0.1,5e3,0.1,6e3,\n", "line 2.*joined"),
        (f"{HEADER}\n", "no line of data"),
        ("Item" + ",Smu1.R[1][1]" * 30_000 + "\n1\n", "30001 columns"),
        ("a,b\n1,2\n", "not the header"),
    ],
)
def test_files_that_cannot_be_right_are_refused(made, text, words):
    with pytest.raises(TraceFormatError, match=f"smu.csv.*{words}"):
        load_traces(made(text), format="smu-csv")
