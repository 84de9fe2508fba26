"""1/f and telegraph noise: spectrum, covariance, dwell times, each shown to fail on a wrong generator."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weakreset.model import (
    autocovariance,
    filter_taps,
    high_probability_after,
    inverse_filter_taps,
    pink_noise,
    spectrum,
    stationary_high_probability,
    telegraph_states,
)


def test_filter_and_inverse_filter_cancel():
    h, g = filter_taps(1.0, 64), inverse_filter_taps(1.0, 64)
    identity = np.convolve(h, g)[:64]
    np.testing.assert_allclose(identity, np.eye(64)[0], atol=1e-12)


def test_first_taps_are_those_of_kasdin():
    np.testing.assert_allclose(filter_taps(1.0, 4), [1.0, 0.5, 0.375, 0.3125])


def test_colorednoise_has_the_same_spectrum():
    """Ratio of mean periodograms of two generators over two decades, 300 series each, seeds 1 and 2.

    A band of 60 bins averages 18,000 exponentials: sd 0.75 % each, so 5 % is 4.7 sigma of the ratio.
    """
    colorednoise = pytest.importorskip("colorednoise")
    ours = pink_noise(np.random.default_rng(1), 300, 4096)
    theirs = colorednoise.powerlaw_psd_gaussian(1.0, (300, 4096), random_state=np.random.default_rng(2))
    window = np.hanning(4096)
    power = [np.mean(np.abs(np.fft.rfft(x * window, axis=1)) ** 2, axis=0) for x in (ours, theirs)]
    bands = [slice(a, a + 60) for a in (30, 100, 300, 600)]
    ratio = np.array([power[0][band].mean() / power[1][band].mean() for band in bands])
    assert np.all(np.abs(ratio / ratio[0] - 1) < 0.05)


def _spectral_ratio(noise: np.ndarray, exponent: float) -> np.ndarray:
    """Mean periodogram over the ideal spectrum, in four bands."""
    n = noise.shape[1]
    window = np.hanning(n)
    power = np.mean(np.abs(np.fft.rfft(noise * window, axis=1)) ** 2, axis=0) / np.sum(window**2)
    frequency = np.arange(n // 2 + 1) / n
    return np.array([
        np.mean(power[a:b] / spectrum(frequency[a:b], exponent))
        for a, b in ((8, 40), (40, 200), (200, 800), (800, 2000))
    ])


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.4])
def test_spectrum_is_the_ideal_one_with_unit_driving_noise(exponent):
    """200 series of 4,096, seed 11: bands of at least 32 bins have sd <= 2 % (Hann bins are correlated);
    8 % is 4 sigma, false-alarm rate below 1e-3 over all bands."""
    ratio = _spectral_ratio(pink_noise(np.random.default_rng(11), 200, 4096, exponent), exponent)
    np.testing.assert_allclose(ratio, 1.0, atol=0.08)


def test_the_published_generators_faults_would_be_seen():
    """Fifteen taps miss the 8 % band of the spectrum test; uniform [0, 1) drive misses mean and power."""
    few_taps = pink_noise(np.random.default_rng(11), 200, 4096, n_taps=15)
    assert _spectral_ratio(few_taps, 1.0)[0] < 0.92
    drive = np.random.default_rng(11).random((200, 4096 + 14))
    uncentred = np.stack([np.convolve(row, filter_taps(1.0, 15), mode="valid") for row in drive])
    assert abs(uncentred[:, 0].mean()) > 4 * np.sqrt(autocovariance(1.0, 1)[0] / 200)
    assert np.all(_spectral_ratio(uncentred, 1.0)[1:] < 0.92)


def test_noise_has_no_mean():
    """200 independent stationary series of variance autocovariance(0); mean of means within 4 sigma, seed 3."""
    noise = pink_noise(np.random.default_rng(3), 200, 512)
    sd = np.sqrt(autocovariance(1.0, 1)[0] / 200)
    assert abs(noise[:, 0].mean()) < 4 * sd
    assert abs(noise[:, -1].mean()) < 4 * sd


def test_variance_is_the_same_at_the_first_and_the_last_pulse():
    """Stationary from the first pulse: chi-squared interval of 2,000 devices at level 1e-4, seed 4."""
    noise = pink_noise(np.random.default_rng(4), 2000, 64)
    variance = autocovariance(1.0, 1)[0]
    low, high = stats.chi2(2000).ppf([5e-5, 1 - 5e-5]) / 2000
    for column in (0, 63):
        assert low < np.mean(noise[:, column] ** 2) / variance < high


def test_block_size_does_not_change_the_noise():
    few = pink_noise(np.random.default_rng(9), 10, 50)
    many = pink_noise(np.random.default_rng(9), 100, 50)
    np.testing.assert_array_equal(few, many[:10])


def test_telegraph_occupancy_and_dwell_times_are_geometric():
    """Dwell times of 400 devices x 20,000 pulses, seed 6: chi-squared against the geometric law, level 1e-3."""
    p_up, p_down = 0.02, 0.05
    high = telegraph_states(np.random.default_rng(6), 400, 20000, p_up, p_down)
    for state, p, wrong in ((True, p_down, 0.06), (False, p_up, 0.025)):
        dwells = _complete_dwells(high, state)
        assert _geometric_p_value(dwells, p) > 1e-3
        assert _geometric_p_value(dwells, wrong) < 1e-3
    assert high.mean() == pytest.approx(stationary_high_probability(p_up, p_down), abs=0.005)


def _complete_dwells(high: np.ndarray, state: bool) -> np.ndarray:
    dwells = []
    for row in high:
        edges = np.flatnonzero(np.diff(row)) + 1
        spans, first = np.diff(edges), row[edges[:-1]] if len(edges) > 1 else np.empty(0, bool)
        dwells.append(spans[first == state])
    return np.concatenate(dwells)


def _geometric_p_value(dwells: np.ndarray, p: float) -> float:
    edges = np.unique(stats.geom(p).ppf(np.linspace(0, 1, 11)[1:-1]))
    observed = np.bincount(np.searchsorted(edges, dwells), minlength=len(edges) + 1)
    cdf = np.concatenate([[0.0], stats.geom(p).cdf(edges), [1.0]])
    return float(stats.chisquare(observed, np.diff(cdf) * len(dwells)).pvalue)


def test_skip_ahead_probability_is_the_power_of_the_transition_matrix():
    p_up, p_down = 0.0008, 0.002
    step = np.array([[1 - p_up, p_up], [p_down, 1 - p_down]])
    for n in (0, 1, 7, 126):
        power = np.linalg.matrix_power(step, n)
        after = high_probability_after(np.array([False, True]), n, p_up, p_down)
        np.testing.assert_allclose(after, power[:, 1], atol=1e-13)
