"""Distances of a replica from the pool agree with scipy where scipy has them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weakreset.validation.distances import distances
from weakreset.validation.pool import _draws


@pytest.fixture
def column() -> np.ndarray:
    return np.random.default_rng(1).standard_normal(400)


@pytest.fixture
def members() -> np.ndarray:
    return _draws(40, 360, 5, np.random.default_rng(2))


def test_kolmogorov_smirnov_agrees_with_scipy(column, members):
    theirs = [stats.ks_2samp(column[rows], column, method="asymp").statistic for rows in members]
    assert distances(column, members)[:, 0] == pytest.approx(theirs, abs=1e-12)


def test_anderson_darling_agrees_with_scipy_on_a_known_law():
    """The pool's middle ranks are the quantiles of a uniform law exactly, so scipy's A squared is the answer."""
    n = 2000
    column = (np.arange(n) + 0.5) / n
    members = _draws(40, n - 40, 5, np.random.default_rng(3))
    ours = distances(column, members)[:, 1]
    theirs = [stats.goodness_of_fit(stats.uniform, column[rows], known_params={"loc": 0.0, "scale": 1.0},
                                    statistic="ad", n_mc_samples=2, rng=0).statistic for rows in members]
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_wasserstein_is_near_that_of_scipy_and_exact_for_a_shift(column, members):
    """Ours is taken at 40 quantiles, scipy's at all: the difference is that of a step of the pool."""
    theirs = [stats.wasserstein_distance(column[rows], column) for rows in members]
    assert distances(column, members)[:, 2] == pytest.approx(theirs, abs=0.04)
    even = np.concatenate([np.arange(100) + 7.0, np.arange(100)])  # measured: the same numbers, 7 higher
    moved = distances(even, np.stack([np.arange(100), np.arange(100, 200)]))[:, 2]
    assert moved == pytest.approx([3.5, 3.5], abs=0.3)


def test_devices_that_were_not_read_do_not_count(column, members):
    longer = np.append(column, np.full(10, np.nan))
    wider = np.concatenate([members, np.full((len(members), 1), 405)], axis=1)
    np.testing.assert_array_equal(distances(longer, wider), distances(column, members))
