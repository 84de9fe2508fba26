"""Whitening against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import autocovariance, inverse_filter_taps, pink_noise


@pytest.mark.parametrize("pulses", [np.arange(1, 200), np.arange(100, 5000, 50), np.array([1, 2, 5, 40, 41, 300])])
@pytest.mark.parametrize("colour", [NoiseColour(1.0, 0.0), NoiseColour(0.7, 0.5), NoiseColour(None)])
def test_whitened_noise_has_unit_covariance(pulses, colour):
    whitener = Whitener(pulses, colour)
    covariance = colour.covariance(pulses)
    half = whitener.columns(covariance)
    np.testing.assert_allclose(whitener.columns(half.T), np.eye(len(pulses)), atol=1e-8)
    assert whitener.log_det == pytest.approx(np.linalg.slogdet(covariance)[1], abs=1e-6)


def test_covariance_of_irregular_reads_is_that_of_the_full_trace_at_those_reads():
    full = NoiseColour(1.0).covariance(np.arange(1, 101))
    some = np.array([3, 10, 11, 60])
    np.testing.assert_allclose(NoiseColour(1.0).covariance(some), full[np.ix_(some - 1, some - 1)])


def test_long_after_the_start_whitening_is_the_inverse_filter():
    noise = pink_noise(np.random.default_rng(0), 1, 600)[0]
    white = Whitener(np.arange(1, 601), NoiseColour(1.0)).columns(noise)
    filtered = np.convolve(noise, inverse_filter_taps(1.0, 600))[:600]
    assert np.sqrt(np.mean((white[400:] - filtered[400:]) ** 2)) < 0.05


def test_variance_of_pink_noise_grows_with_memory():
    assert autocovariance(1.0, 1, 1000)[0] < autocovariance(1.0, 1, 32768)[0]
