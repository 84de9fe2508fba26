"""Numbers in the units people use, and curves in characters."""

import math

import pytest

from weakreset.display import as_change, as_ohms, text_chart


@pytest.mark.parametrize(
    ("values", "words"),
    [((6988.0,), "6.99 kΩ"), ((950.0, 1200.0), "0.950 to 1.20 kΩ"), ((12.5,), "12.5 Ω"), ((3.3e7,), "33.0 MΩ")],
)
def test_ohms_have_the_prefix_of_the_largest(values, words):
    assert as_ohms(*values) == words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((math.log(1.05),), "5.00 %"), ((math.log(0.9), math.log(1.1)), "−10.0 to 10.0 %"),
        ((math.log(8.0),), "×8.00"), ((math.log(0.25),), "×0.250"), ((1e4,), "×∞"),
    ],
)
def test_ln_r_is_said_as_a_change_of_resistance(values, words):
    assert as_change(*values) == words


def test_a_chart_rises_where_the_curve_does_and_fits_80_columns():
    x = list(range(100))
    lines = text_chart(x, [v - 5.0 for v in x], [float(v) for v in x], [v + 5.0 for v in x], ("low", "high", "0", "99"))
    assert max(map(len, lines)) <= 80
    dots = [min(i for i, sign in enumerate(line) if sign == "●") for line in lines if "●" in line]
    assert dots == sorted(dots, reverse=True)  # the upper lines have their dots further right
    assert lines[0].startswith("high │")


def test_a_flat_chart_is_drawn_too():
    assert sum("●" in line for line in text_chart([0, 1], [1, 1], [1, 1], [1, 1], ("a", "b", "0", "1"))) == 1
