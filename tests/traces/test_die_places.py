"""Where names and columns say that dies and devices lie."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.traces import PulseTrace
from weakreset.traces.die_places import device_places, die_place, wafer_places


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("X1Y-2", (1, -2)), ("x-1y-1", (-1, -1)), ("3,4", (3, 4)), ("(3, -4)", (3, -4)), ("2_7", (2, 7)),
        ("3-4", (3, 4)),
        ("R2C5", (5, 2)), ("row 2 col 5", (5, 2)), ("die 3 4", (3, 4)), ("Die_X02_Y11", (2, 11)), ("Y3X-1", (-1, 3)),
        ("x=3, y=−1", (3, -1)), ("12", None), ("die 12", None), ("A", None), ("B7", None), ("", None),
        ("center", None), ("1/2/3", None),
    ],
)
def test_a_name_is_a_place_or_is_none(name, place):
    assert die_place(name) == place


def trace(name: str, **columns: str) -> PulseTrace:
    ohm = np.full(3, 7e3)
    return PulseTrace(name, np.arange(3), ohm, extras={key: np.array([text] * 3) for key, text in columns.items()})


def test_wafers_have_maps_of_their_own_and_one_with_a_nameless_die_has_none():
    traces = [
        trace("a", wafer="1", die="X0Y0"), trace("b", wafer="1", die="X1Y0"),
        trace("c", wafer="2", die="X0Y0"), trace("d", wafer="2", die="left"),
    ]
    assert wafer_places(traces) == {"1": {"a": (0, 0), "b": (1, 0)}}


def test_one_die_is_no_map_and_serial_numbers_are_none():
    assert wafer_places([trace("a", die="1,1"), trace("b", die="1,1")]) == {}
    assert wafer_places([trace("a", die="1,1"), trace("b", die="1,900")]) == {}


def test_rows_and_columns_are_places_where_all_are_whole_numbers():
    good = [trace("a", row="0", col="3"), trace("b", row="1.0", col="3")]
    assert device_places(good) == {"a": (3, 0), "b": (3, 1)}
    assert device_places([*good, trace("c", row="WL1", col="3")]) == {}
