"""Two shares of devices: yield, and how many have telegraph noise."""

from __future__ import annotations

import numpy as np
from scipy import special

__all__ = ["fisher"]


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Two-sided p of Fisher's exact test: `k` of `n` devices in one lot, `k` of `n` in the other."""
    (k, n), (other, m) = first, second
    total = k + other  # margins are fixed: all tables with as many working devices in all
    possible = np.arange(max(0, total - m), min(n, total) + 1)
    log_p = _log_choose(n, possible) + _log_choose(m, total - possible)
    p = np.exp(log_p - log_p.max())  # hypergeometric, up to a factor that cancels
    # tables about as likely as the one seen count too, whatever rounding made of them
    return float(min(1.0, p[p <= p[possible == k] * (1.0 + 1e-7)].sum() / p.sum()))


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    found = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return np.asarray(found)
