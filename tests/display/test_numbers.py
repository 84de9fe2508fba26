import math

import pytest

from weakreset.display import for_json, number, percent, plus_minus


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"), (math.nan, "–"), (0.0, "0"), (math.inf, "∞"), (-math.inf, "−∞"), (6988.0, "6988"),
        (0.0072169, "0.007217"), (6.564678e-4, "6.565×10⁻⁴"), (-0.15, "−0.1500"), (3.2e7, "3.200×10⁷"),
    ],
)
def test_numbers_have_four_figures(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (542.5, 58.4, "542 ± 58"), (6.56e-4, 5.3e-5, "(6.56 ± 0.53)×10⁻⁴"), (0.0072, 0.00018, "0.00720 ± 0.00018"),
        (1e-5, 3e-5, "(1.0 ± 3.0)×10⁻⁵"), (12.5, None, "12.50"), (12.5, math.nan, "12.50"), (None, 1.0, "–"),
    ],
)
def test_errors_have_two_figures(value, error, expected):
    assert plus_minus(value, error) == expected


def test_percent():
    assert percent(0.9525) == "95.2 %"
    assert percent(None) == "–"


def test_the_smallest_number_and_what_json_does_not_have():
    assert number(5e-324, 2) == "4.9×10⁻³²⁴"
    content = {"a": (1.0, float("inf")), "b": {"c": float("nan"), "d": "x"}}
    assert for_json(content) == {"a": [1.0, None], "b": {"c": None, "d": "x"}}
