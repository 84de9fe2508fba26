"""The map that a click on a column amounts to."""

from __future__ import annotations

import pytest

from weakreset.errors import UsageError
from weakreset.traces import inspect_traces, load_traces
from weakreset.traces.changed_map import changed_map


def written(folder, header, rows, name="lab.csv"):
    path = folder / name
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.fixture
def long(tmp_path):
    """Two devices of 40 reads; the number of the run stands beside them."""
    rows = [(f"d{d}", 7, p, 5 + 0.1 * d + 0.01 * p, 4 + 0.01 * p) for d in range(2) for p in range(40)]
    return written(tmp_path, "cell,sample,pulse,R,R_other", rows)


def read_as(path, column_map=None):
    (found,) = inspect_traces(path, column_map=column_map)
    return found.read_as


def test_a_unit_is_said_and_what_was_guessed_is_kept(long):
    text = changed_map(read_as(long, "resistance=3"), [3], "resistance", "kohm")
    assert "resistance=3[kohm]" in text
    traces = load_traces(long, column_map=text)
    assert traces.traces[0].r0_ohm == pytest.approx(5000)


def test_another_column_is_the_reading_in_the_place_of_the_first(long):
    layout = read_as(long, "device=0,pulse=2,resistance=3[kohm]")
    text = changed_map(layout, [4], "resistance", "kohm")
    assert "resistance=4[kohm]" in text
    assert "ignore=3" in text
    assert load_traces(long, column_map=text).traces[0].r0_ohm == pytest.approx(4000)


def test_columns_add_up_to_the_name_of_a_device(long):
    layout = read_as(long, "device=0,pulse=2,resistance=3[kohm],ignore=1")
    text = changed_map(layout, [1], "device")
    assert sorted(trace.device for trace in load_traces(long, column_map=text)) == ["d0/7", "d1/7"]


def test_devices_of_a_wide_table_are_left_out(tmp_path):
    rows = [(p, *(5000 + 100 * d + p for d in range(4))) for p in range(40)]
    path = written(tmp_path, "pulse,A,B,C,D", rows)
    text = changed_map(read_as(path), [2, 3], "ignore")
    assert sorted(trace.device for trace in load_traces(path, column_map=text)) == ["A", "D"]


def test_a_table_without_a_header_is_understood_by_clicking(tmp_path):
    path = written(tmp_path, "d0,0,5000", [(f"d{d}", p, 5000 + p) for d in range(2) for p in range(1, 40)])
    (found,) = inspect_traces(path)
    assert found.problem
    assert [column.reason for column in found.read_as.columns] == ["such as d0", "such as 0", "such as 5000"]
    text = None
    for column, role in ((0, "device"), (1, "pulse"), (2, "resistance")):
        text = changed_map(read_as(path, text), [column], role)
    assert {trace.device for trace in load_traces(path, column_map=text)} == {"d0", "d1"}


@pytest.mark.parametrize(("role", "unit"), [("nonsense", ""), ("resistance", "uS"), ("resistance", "furlong")])
def test_what_makes_no_sense_is_refused(long, role, unit):
    with pytest.raises(UsageError):
        changed_map(read_as(long, "device=0,pulse=2,resistance=3[kohm]"), [3], role, unit)
