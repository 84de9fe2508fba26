"""A disturbance that all devices share at the same pulses: the temperature of the chuck, a supply that drifts.

Devices read together have independent noise under the model, so the sum over n of them of whitened residuals at one
pulse has n times the variance of one. With S_t that sum and Q_t the sum of their squares,

    V = sum_t S_t^2 / sum_t Q_t

is 1 without a disturbance, with a standard deviation of about sqrt(2 / pulses). One cause among several: a drift shape
that is wrong in the same place for all devices (a fast start) does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import NoiseColour

__all__ = ["FALSE_ALARMS", "CommonMode", "common_mode", "shared_walk"]

FALSE_ALARMS = 1e-3
"""Chance that a set of independent devices is said to share a disturbance."""

_SEEN_Z = 3.7  # 1e-4 by the normal law; the tail of a sum of squares is heavier
_LEAST_DEVICES = 8
_LEAST_PULSES = 50
_MOST_PULSES = 400  # of the mean trace, evenly spaced: a walk is slow
_LOG_WALKS = (-16.0, 2.0)


@dataclass(frozen=True)
class CommonMode:
    """Verdict on a set: variance of the common part over what independent devices have, and how far that is off."""

    ratio: float = 1.0
    z: float = 0.0
    n_devices: int = 0

    @property
    def seen(self) -> bool:
        return self.z > _SEEN_Z

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to say of it; nothing where none is seen."""
        if not self.seen:
            return ()
        return (
            f"the {self.n_devices} devices share a disturbance at the same pulses: their residuals add up to "
            f"{self.ratio:.2g} times the variance of independent ones (z = {self.z:.1f}; said by chance in one set of "
            f"{1 / FALSE_ALARMS:,.0f}). Look for the temperature of the chuck, the supply, or a drift that all begin "
            "alike; standard errors of the laws take devices for independent and are too small",
        )


def common_mode(fits: Sequence[DeviceFit]) -> CommonMode:
    """Test of whitened residuals, pulse by pulse, over devices read at the same ones.

    Parameters
    ----------
    fits : sequence of DeviceFit
        Those without residuals, and those of averaged reads, do not count.
    """
    known = [
        (fit.pulses, fit.white_residuals) for fit in fits
        if fit.white_residuals is not None and fit.averaged is None and len(fit.white_residuals) == len(fit.pulses)
    ]
    if len(known) < _LEAST_DEVICES:
        return CommonMode(n_devices=len(known))
    _, place = np.unique(np.concatenate([pulses for pulses, _ in known]), return_inverse=True)
    # each device counts alike, however noisy it is
    residuals = [np.asarray(white, dtype=np.float64) for _, white in known]
    white = np.concatenate([one / max(float(np.std(one)), 1e-12) for one in residuals])
    sums, squares = np.bincount(place, white), np.bincount(place, white**2)
    many = np.bincount(place) >= _LEAST_DEVICES
    if many.sum() < _LEAST_PULSES:
        return CommonMode(n_devices=len(known))
    ratio = float(np.sum(sums[many] ** 2) / np.sum(squares[many]))
    return CommonMode(ratio, (ratio - 1.0) / float(np.sqrt(2.0 / many.sum())), len(known))


def shared_walk(fits: Sequence[DeviceFit], alpha: float, colour: NoiseColour) -> float:
    """The disturbance as a random walk that all devices have: its variance a pulse in units of alpha^2 (REML).

    The mean over N devices holds it undiminished and 1/N of their noise. What a drift would take up of it is projected
    out of that mean; each single device's slopes have taken it up, and only this number tells by how much.
    """
    known = [fit for fit in fits if fit.white_residuals is not None and fit.averaged is None]
    every, count = np.unique(np.concatenate([fit.pulses for fit in known]), return_counts=True)
    t = every[count >= _LEAST_DEVICES]  # where the mean is one of many, as in `common_mode`
    t = t[:: -(-len(t) // _MOST_PULSES)]
    left, has = np.zeros((2, len(known), len(t)))
    for row, here, fit in zip(left, has, known, strict=True):
        _, place, read = np.intersect1d(t, fit.pulses, assume_unique=True, return_indices=True)
        row[place] = (fit.log_ratio - fit.drift_at(fit.pulses) - fit.rtn.offset(fit.pulses))[read]
        here[place] = 1.0
    n = has.sum(axis=0)
    mean = left.sum(axis=0) / n
    knees = np.quantile(t, [0.2, 0.4, 0.6, 0.8])
    design = np.column_stack([np.ones(len(t)), t, np.maximum(t[:, None] - knees, 0.0)]) / [1.0, *[float(t[-1])] * 5]
    # of two means, over n_s and n_t devices, the devices in both have noise in common: 1/n where all were read alike
    own = alpha**2 * colour.covariance(t) * (has.T @ has) / (n[:, None] * n)
    walk = alpha**2 * (np.minimum(t[:, None], t[None, :]) - float(t[0]))
    found = optimize.minimize_scalar(
        lambda x: _restricted(mean, design, own + np.exp(x) * walk), bounds=_LOG_WALKS, method="bounded",
        options={"xatol": 0.05},
    )
    return float(np.exp(found.x))


def _restricted(values: NDArray[np.float64], design: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """-2 ln of the restricted likelihood of a normal law with this covariance."""
    factor = linalg.cholesky(covariance, lower=True, check_finite=False)
    white = linalg.solve_triangular(factor, np.column_stack([values, design]), lower=True, check_finite=False)
    q, r = np.linalg.qr(white[:, 1:])
    rest = white[:, 0] - q @ (q.T @ white[:, 0])
    return float(rest @ rest + 2.0 * np.log(np.diag(factor)).sum() + 2.0 * np.log(np.abs(np.diag(r))).sum())
