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

from weakreset.fitting.result import DeviceFit

__all__ = ["FALSE_ALARMS", "CommonMode", "common_mode"]

FALSE_ALARMS = 1e-3
"""Chance that a set of independent devices is said to share a disturbance."""

_SEEN_Z = 3.7  # 1e-4 by the normal law; the tail of a sum of squares is heavier
_LEAST_DEVICES = 8
_LEAST_PULSES = 50


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
