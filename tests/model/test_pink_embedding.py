"""1/f noise drawn from its covariance has the law of the filtered noise."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.model import autocovariance, embedded_pink_noise
from weakreset.model.noise import pink_embedding as module

N_SERIES, N_PULSES = 4000, 400


def furthest(noise: np.ndarray, exponent: float) -> float:
    """Largest deviation of the mean of x(0) x(lag), in standard errors (Isserlis: var = r0^2 + r^2)."""
    lags = np.array([0, 1, 2, 5, 20, 100, 399])
    expected = autocovariance(exponent, N_PULSES)
    error = np.sqrt((expected[0] ** 2 + expected[lags] ** 2) / len(noise))
    return float(np.max(np.abs((noise[:, [0]] * noise[:, lags]).mean(axis=0) - expected[lags]) / error))


@pytest.mark.statistical
@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.0, 1.3])
def test_covariance_at_seven_lags(exponent):
    """Seed 5; 7 normal deviates beyond 4.5 sigma by chance: 5e-5. The exponent 0.1 off is beyond."""
    noise = embedded_pink_noise(np.random.default_rng(5), N_SERIES, N_PULSES, exponent)
    assert noise.shape == (N_SERIES, N_PULSES)
    assert furthest(noise, exponent) < 4.5
    assert furthest(noise, exponent + 0.3) > 4.5


def test_the_covariance_between_all_pairs_is_exact():
    """The circle's own covariance, computed from the harmonics, is that of the process: no seed, no chance."""
    amplitude = module._harmonics(N_PULSES, 1.0)
    size = 2 * (len(amplitude) - 1)
    covariance = np.fft.irfft(2.0 * amplitude**2 / (size * 1.0), size)[:N_PULSES]
    np.testing.assert_allclose(covariance, autocovariance(1.0, N_PULSES), rtol=1e-9)


def test_devices_are_independent_and_a_seed_gives_the_same_noise():
    first, second = (embedded_pink_noise(np.random.default_rng(1), 2000, 1) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    products = first[:-1, 0] * first[1:, 0] / first.var()
    assert abs(products.mean()) < 4.5 / np.sqrt(len(products))


def test_noise_that_no_circle_holds_is_filtered(monkeypatch):
    monkeypatch.setattr(module, "_harmonics", lambda *_: None)
    monkeypatch.setattr(module, "pink_noise", lambda rng, n, t, exponent: np.full((n, t), exponent))
    assert embedded_pink_noise(np.random.default_rng(0), 2, 3, 1.9).tolist() == [[1.9] * 3] * 2
