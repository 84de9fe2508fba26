"""Truncated laws against scipy.stats, an independent implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from weakreset.model import TruncatedLaw

CASES = [
    ("norm", {"mean": 1.0, "sd": 2.0}, stats.norm(1.0, 2.0), (-1.5, 4.0)),
    ("expon", {"loc": 0.5, "scale": 2.0}, stats.expon(0.5, 2.0), (0.7, 5.0)),
    ("lognorm", {"s": 0.8, "scale": 540.0}, stats.lognorm(0.8, 0, 540.0), (41.0, 2000.0)),
    ("gamma", {"shape": 2.5, "scale": 0.3}, stats.gamma(2.5, 0, 0.3), (0.1, 2.0)),
    ("weibull", {"shape": 1.7, "scale": 3.0}, stats.weibull_min(1.7, 0, 3.0), (0.5, 6.0)),
    ("uniform", {"low": -1.0, "high": 3.0}, stats.uniform(-1.0, 4.0), (-0.5, 2.5)),
]


@pytest.mark.parametrize(("family", "params", "oracle", "limits"), CASES, ids=[case[0] for case in CASES])
def test_density_distribution_and_quantiles_agree_with_scipy(family, params, oracle, limits):
    low, high = limits
    law = TruncatedLaw(family, params, low, high)
    x = np.linspace(low, high, 101)
    mass = oracle.cdf(high) - oracle.cdf(low)
    np.testing.assert_allclose(law.cdf(x), (oracle.cdf(x) - oracle.cdf(low)) / mass, atol=1e-12)
    np.testing.assert_allclose(law.logpdf(x), oracle.logpdf(x) - math.log(mass), rtol=1e-10, atol=1e-12)
    u = np.linspace(0.001, 0.999, 51)
    np.testing.assert_allclose(law.ppf(u), oracle.ppf(oracle.cdf(low) + u * mass), rtol=1e-9)


@pytest.mark.parametrize(("family", "params", "oracle", "limits"), CASES, ids=[case[0] for case in CASES])
def test_mean_agrees_with_numerical_integration(family, params, oracle, limits):
    law = TruncatedLaw(family, params, *limits)
    expected = oracle.expect(lambda x: x, lb=limits[0], ub=limits[1], conditional=True)
    assert law.mean() == pytest.approx(expected, rel=1e-6)


def test_unit_gamma_is_the_law_of_half_a_product_of_three_uniforms():
    """KS of 20,000 draws against the product itself, seed 5, false-alarm rate 1e-3."""
    rng = np.random.default_rng(5)
    product = 0.5 * rng.random((20000, 3)).prod(axis=1)
    law = TruncatedLaw("unit_gamma", {"shape": 3.0, "scale": 1.0, "upper": 0.5}, 0.0, 0.5)
    assert stats.kstest(product, law.cdf).pvalue > 1e-3
    wrong = TruncatedLaw("unit_gamma", {"shape": 2.8, "scale": 1.0, "upper": 0.5}, 0.0, 0.5)
    assert stats.kstest(product, wrong.cdf).pvalue < 1e-3
    assert law.mean() == pytest.approx(0.0625, rel=1e-6)


def test_outside_the_truncation_there_is_nothing():
    law = TruncatedLaw("norm", {"mean": 0.0, "sd": 1.0}, -1.0, 2.0)
    assert np.all(np.isneginf(law.logpdf([-1.1, 2.1])))
    np.testing.assert_array_equal(law.cdf([-5.0, 5.0]), [0.0, 1.0])


@given(st.floats(0.05, 3.0), st.floats(1.0, 1e4), st.floats(0.0, 1.0))
def test_quantile_and_distribution_are_inverse(s, scale, u):
    law = TruncatedLaw("lognorm", {"s": s, "scale": scale}, 0.0, math.inf)
    assert float(law.cdf(law.ppf(u))) == pytest.approx(u, abs=1e-9)


@pytest.mark.parametrize(
    ("family", "params", "limits", "words"),
    [
        ("cauchy", {"x": 1.0}, (0, 1), "unknown family"),
        ("norm", {"mean": 0.0}, (0, 1), "needs"),
        ("norm", {"mean": 0.0, "sd": -1.0}, (0, 1), "must be > 0"),
        ("norm", {"mean": 0.0, "sd": 1.0}, (1, 1), "empty"),
        ("norm", {"mean": 0.0, "sd": 1.0}, (50, 60), "none of the mass"),
        ("constant", {"value": 3.0}, (0, 1), "outside"),
    ],
)
def test_impossible_laws_are_refused(family, params, limits, words):
    with pytest.raises(ValueError, match=words):
        TruncatedLaw(family, params, *limits)


@pytest.mark.parametrize("family", ["lognorm", "gamma", "weibull"])
def test_the_density_of_a_positive_law_is_zero_at_zero_and_below(family):
    params = {"lognorm": {"s": 0.5, "scale": 2.0}}.get(family, {"shape": 1.5, "scale": 2.0})
    density = TruncatedLaw(family, params).logpdf([-1.0, 0.0, 1.0])
    assert np.all(np.isneginf(density[:2]))
    assert np.isfinite(density[2])
