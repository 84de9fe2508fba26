import numpy as np
import pytest

from tests.builders import pure_noise_fits
from weakreset.model import spectrum
from weakreset.plots import pooled_periodogram


def largest_deviation(white: bool) -> float:
    fits = pure_noise_fits(200, 1024, 0.0072, seed=9, white=white)
    frequency, density, stderr, n_devices = pooled_periodogram(fits)
    assert n_devices == 200
    expected = 0.0072**2 * spectrum(frequency, 1.0)
    return float(np.max(np.abs(density - expected) / (stderr + 0.02 * expected)))


@pytest.mark.statistical
def test_the_periodogram_of_pink_noise_is_the_law_that_is_drawn_with_it():
    """200 devices, seed 9; about 20 bins within 5 standard errors plus 10 % of binning: false alarm below 1e-4."""
    assert largest_deviation(white=False) < 5.0


@pytest.mark.statistical
def test_the_periodogram_of_white_noise_is_not():
    assert largest_deviation(white=True) > 20.0
