"""Drift shapes: values by hand, Jacobians by central differences."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.model import SHAPES, two_slope

NUMBERS = {
    "two-slope": (6e-4, 300.0, 0.01, 3e-5),
    "single-slope": (6e-4, 0.01),
    "power-law": (0.02, 0.4, 0.01),
    "saturating-exponential": (0.3, 200.0, 0.01),
    "smooth-knee": (6e-4, 300.0, 0.01, 3e-5, 1.0),
    "three-slope": (6e-4, 300.0, 0.01, 3e-5, 2.5, 0.3),
}


def test_two_slope_meets_at_the_knee_and_has_the_published_form():
    m1, t_star, c1, m2 = NUMBERS["two-slope"]
    t = np.array([1.0, 299.0, 300.0, 301.0, 1000.0])
    before, after = m1 * t + c1, m2 * t + c1 + t_star * (m1 - m2)
    np.testing.assert_allclose(two_slope(t, m1, t_star, c1, m2), np.where(t < t_star, before, after), rtol=1e-14)
    assert two_slope(t_star, m1, t_star, c1, m2) == pytest.approx(m1 * t_star + c1)


@pytest.mark.parametrize("name", SHAPES)
def test_jacobian_agrees_with_central_differences(name):
    shape, numbers = SHAPES[name], np.array(NUMBERS[name])
    t = np.array([1.0, 50.0, 299.0, 302.0, 900.0])
    jacobian = shape.jacobian(t, *numbers)
    assert jacobian.shape == (5, len(numbers))
    for i, number in enumerate(numbers):
        step = np.zeros(len(numbers))
        step[i] = 1e-5 * abs(number)
        numeric = (shape.value(t, *(numbers + step)) - shape.value(t, *(numbers - step))) / (2 * step[i])
        np.testing.assert_allclose(jacobian[:, i], numeric, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_broadcasts_devices_against_pulses(name):
    numbers = [np.full((3, 1), number) for number in NUMBERS[name]]
    assert SHAPES[name].value(np.arange(1, 11.0)[None, :], *numbers).shape == (3, 10)
