import numpy as np
import pytest

from weakreset.errors import SimulationError
from weakreset.model import autocovariance, spectrum
from weakreset.simulation import fit_pink_poles


@pytest.mark.parametrize(("n_poles", "bar"), [(4, 0.025), (5, 0.01)])
@pytest.mark.parametrize("exponent", [0.3, 0.7, 0.85, 1.0, 1.15, 1.4, 1.8])
def test_spectrum_follows_the_exponent_over_three_decades(exponent: float, n_poles: int, bar: float) -> None:
    poles = fit_pink_poles(exponent, n_poles)
    frequency = np.geomspace(5e-4, 0.5, 3001)
    error = np.max(np.abs(poles.spectrum(frequency) / spectrum(frequency, exponent) - 1))
    assert error <= bar
    assert error == pytest.approx(poles.psd_error, rel=0.01)


def test_three_poles_do_not_reach_the_bar() -> None:
    assert fit_pink_poles(1.0, 3).psd_error > 0.025


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.3])
def test_variance_equals_that_of_the_numpy_model(exponent: float) -> None:
    ours, model = fit_pink_poles(exponent).autocovariance([0]), autocovariance(exponent, 1)
    assert ours == pytest.approx(model, rel=1e-5)


def test_covariance_is_that_of_the_numpy_model_within_bursts_of_any_length() -> None:
    lags = np.arange(1, 127)
    ours, ideal = fit_pink_poles(1.0).autocovariance(lags), autocovariance(1.0, 127)[1:]
    assert np.max(np.abs(ours / ideal - 1)) < 0.01


def test_white_noise_needs_no_poles() -> None:
    poles = fit_pink_poles(0.0)
    assert poles.white_variance == pytest.approx(1.0)
    assert poles.variance.sum() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("exponent", "n_poles"), [(-0.1, 4), (2.0, 4), (1.0, 1), (1.0, 9)])
def test_impossible_requests_are_refused(exponent: float, n_poles: int) -> None:
    with pytest.raises(SimulationError, match=r"exponent|n_poles"):
        fit_pink_poles(exponent, n_poles)
