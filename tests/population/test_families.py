"""Truncated maximum likelihood against surpyval, scipy and known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from weakreset.errors import FitError
from weakreset.model import TruncatedLaw
from weakreset.population.families import akaike, fit_values


def test_untruncated_fits_agree_with_scipy():
    x = np.random.default_rng(1).lognormal(1.0, 0.5, 300)
    fit = fit_values(x, ("lognorm",), 0.0)
    s, _, scale = stats.lognorm.fit(x, floc=0)
    assert fit.law.params["s"] == pytest.approx(s, rel=1e-3)
    assert fit.law.params["scale"] == pytest.approx(scale, rel=1e-3)
    assert fit.stderr["s"] == pytest.approx(s / math.sqrt(600), rel=0.02)


def test_truncated_weibull_agrees_with_surpyval():
    surpyval = pytest.importorskip("surpyval")
    law = TruncatedLaw("weibull", {"shape": 1.6, "scale": 3.0}, 1.0, 5.0)
    x = law.sample(np.random.default_rng(2), 400)
    oracle = surpyval.Weibull.fit(x, tl=1.0, tr=5.0)
    fit = fit_values(x, ("weibull",), 1.0, 5.0)
    ours = float(fit.law.logpdf(x).sum())
    theirs = float(
        TruncatedLaw("weibull", {"shape": oracle.params[1], "scale": oracle.params[0]}, 1.0, 5.0).logpdf(x).sum()
    )
    assert ours >= theirs - 1e-3
    assert fit.law.params["scale"] == pytest.approx(oracle.params[0], rel=0.02)


@pytest.mark.parametrize(
    ("family", "params", "limits"),
    [
        ("norm", {"mean": 0.0, "sd": 1.0}, (-0.5, 2.0)),
        ("lognorm", {"s": 0.8, "scale": 540.0}, (41.0, 2000.0)),
        ("gamma", {"shape": 2.0, "scale": 1.5}, (0.5, 6.0)),
        ("expon", {"loc": 0.0, "scale": 3e-5}, (0.0, 1.3e-4)),
    ],
)
def test_estimates_scatter_about_the_truth_as_their_errors_say(family, params, limits):
    """Pulls of 60 samples of 400: |mean| < 4/sqrt(60), sd within 0.7..1.3 (false alarm below 1e-3)."""
    law = TruncatedLaw(family, params, *limits)
    pulls = []
    for seed in range(60):
        fit = fit_values(law.sample(np.random.default_rng(seed), 400), (family,), *limits)
        name = "scale" if "scale" in fit.stderr else "mean"
        pulls.append((fit.law.params[name] - params[name]) / fit.stderr[name])
    assert abs(np.mean(pulls)) < 4 / math.sqrt(60)
    assert 0.7 < np.std(pulls) < 1.3


def test_ignoring_the_truncation_would_fail_the_pull_test():
    law = TruncatedLaw("lognorm", {"s": 0.8, "scale": 540.0}, 41.0, 2000.0)
    pulls = []
    for seed in range(60):
        fit = fit_values(law.sample(np.random.default_rng(seed), 400), ("lognorm",), 0.0)
        pulls.append((fit.law.params["scale"] - 540.0) / fit.stderr["scale"])
    assert abs(np.mean(pulls)) > 4 / math.sqrt(60)


def test_aic_prefers_the_true_family_of_a_large_sample():
    x = np.random.default_rng(3).gamma(0.6, 2.0, 2000)
    fit = fit_values(x, ("lognorm", "gamma", "weibull", "norm"), 0.0)
    assert fit.candidates[0].family == "gamma"
    assert sum(c.weight for c in fit.candidates) == pytest.approx(1.0)


def test_akaike_weights_by_hand():
    first, second = akaike({"a": 10.0, "b": 12.0})
    assert (first.family, second.family) == ("a", "b")
    assert second.weight / first.weight == pytest.approx(math.exp(-1))


def test_values_outside_the_truncation_are_refused_with_the_value():
    with pytest.raises(FitError, match=r"5\.0"):
        fit_values(np.array([1.0, 2.0, 5.0]), ("norm",), 0.0, 3.0)
