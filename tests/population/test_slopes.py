"""The written-out slopes of the population's likelihood, beside differences of what they are the slopes of."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.model import TruncatedLaw
from weakreset.population.families import FreeLaw
from weakreset.population.slopes import SLOPES, nudged_law
from weakreset.population.stuck import StuckHigh

STEP = 1e-5
LAWS = {
    "norm": {"mean": 2.0, "sd": 0.7}, "lognorm": {"s": 0.6, "scale": 1.5}, "gamma": {"shape": 2.5, "scale": 0.8},
    "weibull": {"shape": 1.7, "scale": 2.1}, "expon": {"loc": 0.05, "scale": 1.3},
}
X = np.random.default_rng(3).uniform(0.1, 6.0, 200)


def central(free, coordinates, at, of):
    ahead, behind = (of(nudged_law(free, coordinates, at, way * STEP)) for way in (1.0, -1.0))
    return (ahead - behind) / (2.0 * STEP)


@pytest.mark.parametrize("family", LAWS)
def test_slopes_are_those_of_the_density(family):
    assert set(LAWS) == set(SLOPES)
    free = FreeLaw(family, {"loc": 0.05} if family == "expon" else {}, -np.inf, np.inf)
    slopes = SLOPES[family](X, np.log(X), LAWS[family])
    assert set(slopes) == set(free.free)
    for at, number in enumerate(free.free):
        expected = central(free, free.coordinates(LAWS[family]), at, lambda law: law.logpdf(X))
        np.testing.assert_allclose(slopes[number], expected, rtol=1e-6, atol=1e-7)


def test_slopes_of_devices_that_may_have_sat_in_the_high_state():
    stuck, free = StuckHigh(0.3, (0.2, 0.5, 0.9)), FreeLaw("norm", {}, -np.inf, np.inf)
    law = TruncatedLaw("norm", LAWS["norm"])
    slopes = stuck.slopes(law, X)
    for at, number in enumerate(free.free):
        expected = central(free, free.coordinates(law.params), at, lambda law: stuck.log_factor(law, X))
        np.testing.assert_allclose(slopes[number], expected, rtol=1e-6, atol=1e-7)


def test_a_law_with_limits_has_no_written_out_slopes_there():
    assert StuckHigh(0.3, (0.2,)).slopes(TruncatedLaw("norm", LAWS["norm"], 0.0, 5.0), X) is None
