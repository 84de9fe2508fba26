"""1/f^beta noise as a sum of first-order autoregressive processes.

    x = sum_j s_j y_j + s_white xi + s_slow z,      y_j <- a_j^n y_j + sqrt(1 - a_j^(2n)) xi_j

Every y_j has unit variance, so advancing n pulses is one exact step whatever n is. The time constants and
the variances s_j^2 >= 0 minimise the largest relative error of the spectrum of `weakreset.model` over three
decades, 5e-4 .. 0.5 per pulse. Two terms need no state: white noise (a time constant of zero), and a level
z that is drawn once per SET cycle. The level carries the power slower than the slowest pole, which a few
thousand pulses cannot tell from the offset c1; with it the variance of x equals that of the numpy model.
(The idea of adding Lorentzian spectra is old: van der Ziel, Physica 16, 359, 1950.)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreset.errors import SimulationError
from weakreset.model.noise.pink_noise import autocovariance, spectrum

__all__ = [
    "HIGHEST_EXPONENT",
    "HIGHEST_FREQUENCY",
    "LOWEST_FREQUENCY",
    "PinkPoles",
    "SharedPoles",
    "fit_pink_poles",
    "shared_poles",
]

Array = NDArray[np.float64]

LOWEST_FREQUENCY = 5e-4  # cycles per pulse: a period of 2,000 pulses; slower is the slow level
HIGHEST_FREQUENCY = 0.5  # Nyquist, at one read a pulse
_GRID = 120  # frequencies, 40 a decade; errors between them are looked for on 20 times as many
_TAU_BOUNDS = (0.05, 1e4)
HIGHEST_EXPONENT = 1.95
"""Of devices that have an exponent of their own: steeper ones the pulses of a trace cannot tell apart."""
_SHARED_TAUS = (0.4, 1.5, 6.0, 30.0, 150.0, 1000.0)  # pulses; a factor of about five apart
_EXPONENT_STEP = 0.05


@dataclass(frozen=True)
class PinkPoles:
    """A sum of autoregressive processes and how well it follows 1/f^exponent.

    Attributes
    ----------
    exponent : float
        beta of 1/f^beta.
    decay : ndarray, shape (n_poles,)
        a_j: what is left of y_j after one pulse.
    variance : ndarray, shape (n_poles,)
        s_j^2, in units of the driving noise of the numpy model.
    white_variance : float
        Part drawn anew at every update.
    slow_variance : float
        Part drawn once per SET cycle.
    psd_error : float
        Largest relative error of the spectrum between the frequency limits of this module.
    """

    exponent: float
    decay: Array
    variance: Array
    white_variance: float
    slow_variance: float
    psd_error: float

    def spectrum(self, frequency: ArrayLike) -> Array:
        """Two-sided power density at `frequency` > 0 (cycles per pulse) of everything but the slow level."""
        f = np.asarray(frequency, dtype=np.float64)
        return np.asarray(_lorentzians(self.decay, f) @ self.variance + self.white_variance)

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Covariance of x(t) and x(t + lag); the slow level counts as constant."""
        n = np.asarray(lags, dtype=np.float64)
        decaying = self.decay ** n[..., None] @ self.variance
        return np.asarray(decaying + self.slow_variance + self.white_variance * (n == 0))


def _lorentzians(decay: Array, frequency: Array) -> Array:
    """Spectra of unit-variance poles; shape (*frequency.shape, n_poles)."""
    cosine = np.cos(2.0 * np.pi * frequency)[..., None]
    return np.asarray((1.0 - decay**2) / (1.0 + decay**2 - 2.0 * decay * cosine))


@lru_cache(maxsize=32)
def fit_pink_poles(exponent: float, n_poles: int = 4) -> PinkPoles:
    """Fit poles to 1/f^exponent by minimax; deterministic, about 50 ms, remembered.

    Parameters
    ----------
    exponent : float
        0 <= beta < 2.
    n_poles : int
        States per device, 2 to 8. Error for beta = 1: 1.4 % with 4 poles, 0.4 % with 5.

    Raises
    ------
    SimulationError
        For an exponent or a number of poles out of range.
    """
    if not 0.0 <= exponent < 2.0:
        raise SimulationError(f"1/f exponent must be in [0, 2), got {exponent!r}")
    if not 2 <= n_poles <= 8:
        raise SimulationError(f"n_poles must be 2 to 8, got {n_poles!r}")
    frequency = np.geomspace(LOWEST_FREQUENCY, HIGHEST_FREQUENCY, _GRID)
    target = spectrum(frequency, exponent)
    starts = [np.geomspace(fast, slow, n_poles) for fast in (0.7, 1.4) for slow in (200.0, 400.0, 800.0)]
    start = min(starts, key=lambda tau: _best_variances(tau, frequency, target)[1])
    candidates = (start, _improve(start, frequency, target))
    tau = min(candidates, key=lambda tau: _best_variances(tau, frequency, target)[1])
    return _assemble(exponent, tau, _best_variances(tau, frequency, target)[0])


def _assemble(exponent: float, tau: Array, variances: Array) -> PinkPoles:
    # six decimals: the last bits of an optimiser may differ from machine to machine, a chip must not
    decay = np.asarray(np.round(np.exp(-1.0 / tau), 6), dtype=np.float64)
    variances = np.asarray(np.maximum(np.round(variances, 6), 0.0), dtype=np.float64)
    fine = np.geomspace(LOWEST_FREQUENCY, HIGHEST_FREQUENCY, 20 * _GRID)
    fitted = _lorentzians(decay, fine) @ variances[:-1] + variances[-1]
    error = float(np.max(np.abs(fitted / spectrum(fine, exponent) - 1.0)))
    missing = float(autocovariance(exponent, 1)[0] - variances.sum())
    return PinkPoles(exponent, decay, variances[:-1], float(variances[-1]), max(missing, 0.0), error)


def _relative_basis(tau: Array, frequency: Array, target: Array) -> Array:
    """Spectra of the poles and of white noise, each divided by the target."""
    poles = _lorentzians(np.exp(-1.0 / tau), frequency)
    return np.asarray(np.column_stack([poles, np.ones_like(frequency)]) / target[:, None])


def _best_variances(tau: Array, frequency: Array, target: Array) -> tuple[Array, float]:
    """Non-negative variances with the least largest error for given time constants (a linear programme)."""
    from scipy.optimize import linprog

    basis = _relative_basis(tau, frequency, target)
    n = basis.shape[1]
    slack = -np.ones((len(frequency), 1))
    upper = np.vstack([np.hstack([basis, slack]), np.hstack([-basis, slack])])
    limit = np.concatenate([np.ones(len(frequency)), -np.ones(len(frequency))])
    found = linprog(np.append(np.zeros(n), 1.0), A_ub=upper, b_ub=limit, bounds=[(0.0, None)] * (n + 1))
    return np.asarray(found.x[:-1]), float(found.fun)


def _improve(tau: Array, frequency: Array, target: Array) -> Array:
    """Move the time constants too: minimise e subject to -e <= fitted/target - 1 <= e."""
    from scipy.optimize import minimize

    n = len(tau)
    variances, error = _best_variances(tau, frequency, target)
    start = np.concatenate([np.log(tau), variances, [error]])

    def margins(x: Array) -> Array:
        miss = _relative_basis(np.exp(x[:n]), frequency, target) @ x[n:-1] - 1.0
        return np.concatenate([x[-1] - miss, x[-1] + miss])

    limits = [tuple(np.log(_TAU_BOUNDS))] * n + [(0.0, None)] * (n + 2)
    constraint: Any = {"type": "ineq", "fun": margins}
    with warnings.catch_warnings():
        # scipy before 1.15 warns where a step leaves the bounds by a rounding error, and puts it back
        warnings.filterwarnings("ignore", "Values in x were outside bounds", RuntimeWarning)
        found = minimize(
            lambda x: x[-1], start, jac=lambda x: np.append(np.zeros(len(x) - 1), 1.0), bounds=limits,
            constraints=[constraint], method="SLSQP", options={"maxiter": 150, "ftol": 1e-8},
        )
    return np.sort(np.exp(found.x[:n])) if np.all(np.isfinite(found.x)) else tau


@dataclass(frozen=True)
class SharedPoles:
    """Poles with the same time constants for every exponent, which only mixes them.

    Attributes
    ----------
    decay : ndarray, shape (n_poles,)
    exponents : ndarray, shape (k,)
        At which the variances were worked out; straight lines between them.
    variances : ndarray, shape (k, n_poles + 2)
        Of the poles, of the part drawn anew at every update, of the slow level.
    psd_error : ndarray, shape (k,)
        Largest relative error of the spectrum between the frequency limits of this module.
    """

    decay: Array
    exponents: Array
    variances: Array
    psd_error: Array

    def amplitudes(self, exponent: Array) -> Array:
        """Standard deviations for devices with these exponents, shape (n_devices, n_poles + 2)."""
        columns = [np.interp(exponent, self.exponents, column) for column in self.variances.T]
        return np.asarray(np.sqrt(np.stack(columns, axis=-1)))


@lru_cache(maxsize=1)
def shared_poles() -> SharedPoles:
    """Mixtures for exponents 0 to 1.95, worked out once a process (about half a second)."""
    frequency = np.geomspace(LOWEST_FREQUENCY, HIGHEST_FREQUENCY, _GRID)
    taus = np.array(_SHARED_TAUS)
    exponents = np.linspace(0.0, HIGHEST_EXPONENT, round(HIGHEST_EXPONENT / _EXPONENT_STEP) + 1)
    fitted = [
        _assemble(b, taus, _best_variances(taus, frequency, spectrum(frequency, b))[0]) for b in exponents.tolist()
    ]
    return SharedPoles(
        fitted[0].decay, exponents,
        np.array([[*one.variance, one.white_variance, one.slow_variance] for one in fitted]),
        np.array([one.psd_error for one in fitted]),
    )
