"""Random telegraph noise (RTN): a two-state Markov chain that moves once per pulse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["high_probability_after", "stationary_high_probability", "telegraph_states"]


def stationary_high_probability(p_up: float, p_down: float) -> float:
    """Share of time in the high-resistance state: p_up / (p_up + p_down); 0 where nothing ever switches."""
    total = p_up + p_down
    return p_up / total if total > 0 else 0.0


def high_probability_after(
    high: NDArray[np.bool_], n_pulses: NDArray[np.int64] | int, p_up: float, p_down: float
) -> NDArray[np.float64]:
    """P(high after n pulses | state now), exact: pi + (1 - p_up - p_down)^n (s - pi)."""
    stationary = stationary_high_probability(p_up, p_down)
    return np.asarray(stationary + (1.0 - p_up - p_down) ** n_pulses * (high - stationary), dtype=np.float64)


def telegraph_states(
    rng: np.random.Generator, n_devices: int, n_pulses: int, p_up: float, p_down: float
) -> NDArray[np.bool_]:
    """State after each of pulses 1 .. n_pulses, the first drawn from the stationary law.

    Returns
    -------
    ndarray of bool, shape (n_devices, n_pulses)
        True is the high-resistance state.
    """
    states = np.empty((n_pulses, n_devices), dtype=np.bool_)
    states[:1] = rng.random(n_devices) < stationary_high_probability(p_up, p_down)
    u = rng.random((max(0, n_pulses - 1), n_devices))
    stays, rises = u >= p_down, u < p_up
    for t in range(1, n_pulses):
        states[t] = np.where(states[t - 1], stays[t - 1], rises[t - 1])
    return np.ascontiguousarray(states.T)
