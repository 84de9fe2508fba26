from __future__ import annotations

import pytest

from weakreset.traces.units import parse_unit, split_name
from weakreset.traces.vocabulary import role_of


@pytest.mark.parametrize(
    ("text", "quantity", "scale"),
    [
        ("ohm", "resistance", 1), ("kohm", "resistance", 1e3), ("MOhm", "resistance", 1e6),
        ("mohm", "resistance", 1e-3),
        ("kΩ", "resistance", 1e3), ("k\u2126", "resistance", 1e3), ("uS", "conductance", 1e-6),
        ("µS", "conductance", 1e-6), ("S", "conductance", 1), ("nA", "current", 1e-9), ("mV", "read_voltage", 1e-3),
    ],
)  # fmt: skip
def test_units_with_si_prefixes(text, quantity, scale):
    unit = parse_unit(text)
    assert (unit.quantity, unit.scale) == (quantity, scale)


@pytest.mark.parametrize("text", ["", "s", "us", "K", "degC", "a.u.", "pulses"])
def test_other_units_are_not_taken_for_ours(text):
    assert parse_unit(text) is None


def test_a_lower_cased_unit_is_understood_when_the_name_says_the_quantity():
    assert parse_unit("us", "conductance").scale == 1e-6
    assert parse_unit("na", "current").scale == 1e-9


def test_an_ambiguous_prefix_is_not_guessed():
    assert parse_unit("MOHM").scale == 1e6
    assert parse_unit("mOHm", "resistance") is None


@pytest.mark.parametrize("header", ["R [kohm]", "R (kohm)", "R_kohm", "R / kohm", "R kohm"])
def test_name_and_unit_are_split(header):
    assert split_name(header) == ("R", "kohm")


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("R", "resistance"), ("R_kohm", "resistance"), ("Resistance (kohm)", "resistance"), ("device [x]", "device"),
        ("Pulse No", "pulse"), ("pulse_width", ""), ("cell_A", ""), ("current_V", ""), ("temperature", ""),
    ],
)  # fmt: skip
def test_a_header_stands_for_a_role_with_its_unit_or_without(header, role):
    assert role_of(header) == role
