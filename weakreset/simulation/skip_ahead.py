"""Tables that advance the noise of a device by n pulses in one step, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.model import PinkPoles, high_probability_after, stationary_high_probability

__all__ = ["LONGEST_BURST", "SkipAhead", "skip_ahead"]

LONGEST_BURST = 1024
"""Rows of the tables; a longer burst is advanced in several steps, which changes nothing in law."""

_FULL_SCALE = 2.0**32  # probabilities are compared as 32-bit whole numbers: same bits on every machine
_NOTHING = 1e-30
"""What is kept less than this is nothing; processors are slow with the smallest numbers of float32 (below 1e-38)."""


@dataclass(frozen=True)
class SkipAhead:
    """Row n belongs to a burst of n pulses; row 0 is no pulse.

    Attributes
    ----------
    keep : ndarray of float32, shape (LONGEST_BURST + 1, n_poles)
        a_j^n.
    renew : ndarray of float32, same shape
        sqrt(1 - a_j^(2n)).
    high_if_low, high_if_high : ndarray of int64, shape (LONGEST_BURST + 1,)
        The device is telegraph-high afterwards when 32 random bits are below this number.
    high_stationary : int
        The same for a device that was just SET.
    """

    keep: NDArray[np.float32]
    renew: NDArray[np.float32]
    high_if_low: NDArray[np.int64]
    high_if_high: NDArray[np.int64]
    high_stationary: int


def skip_ahead(poles: PinkPoles, p_up: float, p_down: float) -> SkipAhead:
    """Compute the tables in double precision, round once."""
    n = np.arange(LONGEST_BURST + 1)
    # AR(1) over n pulses (docs/model.md, x): y <- a^n y + sqrt(1 - a^(2n)) xi keeps unit variance, exactly
    keep = poles.decay ** n[:, None]
    keep[keep < _NOTHING] = 0.0
    # 1 - a^(2n) by expm1: the a of a slow pole is nearly 1
    renew = np.sqrt(-np.expm1(2.0 * n[:, None] * np.log(poles.decay)))
    states = (np.zeros(n.shape, dtype=np.bool_), np.ones(n.shape, dtype=np.bool_))
    # RTN over n pulses: P(high) = pi + (1 - p_up - p_down)^n (s - pi), pi = p_up / (p_up + p_down)
    probabilities = [high_probability_after(state, n, p_up, p_down) for state in states]
    low, high = (np.round(_FULL_SCALE * p).astype(np.int64) for p in probabilities)
    stationary = round(_FULL_SCALE * stationary_high_probability(p_up, p_down))
    return SkipAhead(keep.astype(np.float32), renew.astype(np.float32), low, high, stationary)
