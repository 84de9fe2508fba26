"""A unit is known, absent or unreadable, wherever a file states it."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces
from weakreset.traces.contract import numbers_from_text
from weakreset.traces.readers.stated_units import find_units_row, units_in_comments
from weakreset.traces.units import parse_unit

READS = [40.0 + 0.1 * i for i in range(40)]


@pytest.mark.parametrize("base", [("ohm", "resistance"), ("siemens", "conductance"), ("ampere", "current")])
@pytest.mark.parametrize(("prefix", "scale"), [("nano", 1e-9), ("micro", 1e-6), ("kilo", 1e3), ("mega", 1e6)])
@pytest.mark.parametrize("pattern", ["{}{}", "{}-{}", "{} {}", "[{}{}]"])
def test_units_in_words_are_made_of_prefix_and_name(prefix, scale, base, pattern):
    for text in (pattern.format(prefix, base[0]), pattern.format(prefix.title(), base[0].upper())):
        assert (parse_unit(text).scale, parse_unit(text).quantity) == (scale, base[1])


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("R in kohm", {"resistance unit": "kohm"}), ("unit: kohm", {"unit": "kohm"}), ("Units = uS", {"unit": "uS"}),
        ("resistance unit: kilo-ohms", {"resistance unit": "kilo-ohms"}), ("all readings in kohm", {"unit": "kohm"}),
        ("columns: device, pulse, R (kohm)", {"resistance unit": "kohm"}), ("unit: kOhmz", {"unit": "kOhmz"}),
        ("V_read in mV", {"read_voltage unit": "mV"}), ("time in ks", {}), ("R in the loop", {}), ("R = 10 kohm", {}),
        ("pulse width in us", {}), ("temperature: 300 K", {}),
    ],
)  # fmt: skip
def test_comments_state_units_of_readings(comment, found):
    assert units_in_comments([comment]) == found


def test_two_units_for_one_quantity_are_none():
    assert parse_unit(units_in_comments(["R in kohm", "R in ohm"])["resistance unit"]) is None


@pytest.mark.parametrize(
    ("first", "units"),
    [
        (["", "", "kohm"], ["", "", "kohm"]), (["-", "#", "a.u."], ["", "", "a.u."]), (["A", "", "OVLD"], None),
        (["A", "0", "kohm"], None), (["", "pulse", "R"], None), (["", "", ""], None),
    ],
)  # fmt: skip
def test_a_row_of_units_is_told_from_readings_and_names(first, units):
    assert find_units_row(first, [["A", str(i), "5.5"] for i in range(5)]) == units


def written(tmp_path, text):
    path = tmp_path / "lot.csv"
    path.write_text(text)
    return path


def rows(values=READS, more=""):
    return "".join(f"{i},{value:.6g}{more}\n" for i, value in enumerate(values))


@pytest.mark.parametrize(
    "text",
    [
        "pulse,R\n,kohm\n" + rows(), "% R in kohm\npulse,R\n" + rows(), "pulse,R,unit\n" + rows(more=",kOhm"),
        "pulse,R,R_unit\n" + rows(more=",kilo-ohm"), "pulse,R\n#,kohm\n" + rows(), "pulse,R_kohm_read\n" + rows(),
        "pulse,R\n\n,[kohm]\n" + rows(), "pulse,kOhm\n" + rows(), "pulse,R_kilo_ohm\n" + rows(),
    ],
)  # fmt: skip
def test_kohm_is_found_wherever_it_is_said(tmp_path, text):
    traces = load_traces(written(tmp_path, text))
    assert traces.traces[0].resistance_ohm == pytest.approx(np.array(READS) * 1e3, rel=1e-5)
    assert not [note for note in traces.notes if "assumed" in note]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pulse,R\n,kOhmz\n" + rows(), "kOhmz"), ("# unit: counts\npulse,R\n" + rows(), "counts"),
        ("pulse,R [kohm]\n,ohm\n" + rows(), "its name says kohm, its line of units ohm"),
        ("pulse,R,unit\n" + rows(more=",furlongs"), "furlongs"), ("pulse,R\n,uS\n" + rows(), "uS"),
        ("pulse,D0 [kOhmz],D1 [kOhmz]\n" + rows(more=",50"), "kOhmz"), ("pulse,R_kOhmz\n" + rows(), "kOhmz"),
        ("pulse,R\n" + rows(), "no unit is given"),
    ],
)  # fmt: skip
def test_a_unit_that_cannot_be_read_is_refused_with_a_map_that_works(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(TraceFormatError, match=said) as refused:
        load_traces(path)
    column_map = re.search(r"--map (resistance=\S*\[kohm\])", str(refused.value))[1]
    assert load_traces(path, column_map=column_map).traces[0].resistance_ohm[0] == pytest.approx(40e3)


def test_an_assumed_unit_is_noted_and_few_readings_are_not_judged(tmp_path):
    traces = load_traces(written(tmp_path, "pulse,R\n" + rows([1e3 * value for value in READS])))
    assert "unit assumed: 'R' gives none, taken as ohm" in traces.notes
    assert len(load_traces(written(tmp_path, "pulse,R\n0,1\n1,2\n"), limits=None).traces[0]) == 2


@pytest.mark.parametrize("key", ["units", "UNIT", "Units"])
@pytest.mark.parametrize("value", ["kohm", np.bytes_(b"kohm"), np.array([b"kohm"])])
def test_attributes_of_any_case_and_type(tmp_path, key, value):
    with h5py.File(tmp_path / "lot.h5", "w") as root:
        root["pulse"] = np.arange(3)
        root["resistance"] = np.array([1, 2, -9], dtype="i2")
        root["resistance"].attrs.update({key: value, "scale_factor": 0.5, "add_offset": 10.0, "_FillValue": -9})
    traces = load_traces(tmp_path / "lot.h5", limits=None)
    assert traces.traces[0].resistance_ohm.tolist() == [10500, 11000]
    assert [(item.pulse, item.reason) for item in traces.exclusions] == [(2, "missing reading (empty or NaN)")]


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("41'310", ".", 41310), ("41 310,5", ",", 41310.5), ("1,234.5", ".", 1234.5), ("1.234,5", ",", 1234.5),
        ("1.234.567", ",", 1234567), ("41,310", ".", None), ("41.310", ",", None), ("41,310", ",", 41.31),
        ("0.310", ",", 0.31), ("12 5", ".", None), ("1,23.5", ".", None),
    ],
)  # fmt: skip
def test_marks_of_thousands_are_taken_out_where_nothing_else_is_meant(cell, decimal, value):
    column = numbers_from_text([cell], decimal)
    assert column.text == ({0: cell} if value is None else {})
    assert value is None or column.values[0] == value
