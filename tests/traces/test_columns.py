from __future__ import annotations

import pytest

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces import parse_map

NAMES = ("device", "pulse", "R [kohm]", "3", "a", "b")


def resolved(text, role):
    (entry,) = parse_map(text).of(role)
    return entry.resolve(NAMES, "f.csv")


def test_columns_by_name_index_range_and_sum():
    assert resolved("pulse=pulse", "pulse") == [1]
    assert resolved("pulse=1", "pulse") == [1]
    assert resolved("resistance=2:", "resistance") == [2, 3, 4, 5]
    assert resolved("resistance=4:5", "resistance") == [4, 5]
    assert resolved("device=device+a+5", "device") == [0, 4, 5]


def test_a_header_name_wins_over_an_index():
    assert resolved("resistance=3", "resistance") == [3]
    assert parse_map("resistance=3").of("resistance")[0].resolve(("3", "x", "y", "z"), "f") == [0]


def test_a_unit_in_brackets_is_part_of_the_header_or_added():
    assert resolved("resistance=R [kohm]", "resistance") == [2]
    entry = parse_map("resistance=4[Mohm]").of("resistance")[0]
    assert entry.resolve(NAMES, "f") == [4]
    assert entry.unit.scale == 1e6


def test_constants_and_row_counter():
    parsed = parse_map("device='cell A, die 3',read_voltage='100 mV',pulse=@row,current=0")
    assert parsed.of("device")[0].constant == "cell A, die 3"
    assert float(parsed.of("read_voltage")[0].constant) == 0.1
    assert parsed.of("pulse")[0].row_counter


def test_a_mapping_says_the_same_as_the_text():
    assert parse_map({"device": "0", "resistance": "2[kohm]"}) == parse_map("device=0, resistance=2[kohm]")


@pytest.mark.parametrize(
    "text",
    ["resistor=2", "resistance", "resistance=", "resistance=1,resistance=2", "resistance=1,current=2", "cycle=@row",
     "resistance='5'", "read_voltage='high'", "resistance=1[nA]", "device=a+", "=,=,", "read_voltage='1e'"],
)  # fmt: skip
def test_mistakes_in_a_map_are_explained(text):
    with pytest.raises(UsageError, match="--map"):
        parse_map(text)


@pytest.mark.parametrize("column", ["c", "9", "4:9", "5:4"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(column):
    with pytest.raises(TraceFormatError, match=r"no such column"):
        resolved(f"pulse={column}", "pulse")
