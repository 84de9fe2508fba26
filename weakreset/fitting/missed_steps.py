"""How a telegraph step too small to be found may have moved the knee.

The search keeps a step only where the evidence for it is strong. A weaker one stays in the trace, bends the drift, and
an interval for the knee that is sure of "no further step" is then too narrow. So the likelihood of every knee is
averaged over no further step and one further step anywhere:

    L(k) (1 + rate * sum_s BF_s(k)),   BF_s(k) = sqrt(v / (v + a^2)) exp(gain_s(k) / 2 * a^2 / (v + a^2)),

with `rate` steps per pulse, an amplitude ~ N(0, a^2), v the variance of the amplitude of a step at s beside a
knee at k, and gain_s(k) what it raises 2 ln L by at its best amplitude. Exact but for the knees between those tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.design import Design
from weakreset.fitting.dictionary import Dictionary

__all__ = ["StepPrior", "log_missed_steps"]

Array = NDArray[np.float64]

_WIDEST_TEMPERATURE = 64.0
_TEMPERATURES = 4
_KNEES_EACH = 6


@dataclass(frozen=True)
class StepPrior:
    """What the other devices say of steps: how many a pulse, and the root mean square of their amplitude (ln R)."""

    rate: float = 0.0
    amplitude: float = 0.0


def log_missed_steps(
    dictionary: Dictionary, products: Array, design: Design, variance: float, prior: StepPrior, log_p: Array
) -> Array:
    """ln of the factor by which one further step may raise the likelihood of each candidate knee; shape (g,).

    Parameters
    ----------
    dictionary : Dictionary
    products : ndarray, shape (m,)
    design : Design
        Base columns and telegraph columns of the device.
    variance : float
        alpha^2.
    prior : StepPrior
    log_p : ndarray, shape (g,)
        ln of the probability of each candidate so far: the factor is worked out where that is large and on its
        flanks, and interpolated between.
    """
    d = dictionary
    if prior.rate <= 0 or not len(d.step_reads) or not len(d.grid):
        return np.zeros(len(d.grid))
    tried = _knees_to_try(log_p)
    knees, steps = d.profiles.start + tried, d.steps
    mix, fixed = design.mix, np.asarray(design.fixed)
    inverse, known = design.normal(d, products)
    by_knee, by_step = mix.T @ d.gram[np.ix_(fixed, knees)], mix.T @ d.gram[fixed, steps]
    knee_mixed, step_mixed = inverse @ by_knee, inverse @ by_step
    knee_length = d.lengths[knees] - np.einsum("ij,ij->j", by_knee, knee_mixed)
    knee_length = np.maximum(knee_length, 1e-12 * d.lengths[knees])
    knee_added = (products[knees] - known @ knee_mixed) / knee_length
    step_length = d.lengths[steps] - np.einsum("ij,ij->j", by_step, step_mixed)
    step_product = products[steps] - known @ step_mixed
    cross = d.gram[knees, steps] - knee_mixed.T @ by_step
    left = np.maximum(step_length - cross**2 / knee_length[:, None], 0.0)
    ratio = variance / prior.amplitude**2
    shrunk = 1.0 / (left + ratio)
    half_gain = (0.5 / variance) * (step_product - cross * knee_added[:, None]) ** 2 * shrunk
    top = half_gain.max(axis=1)
    factors = np.einsum("ij,ij->i", np.sqrt(ratio * shrunk), np.exp(half_gain - top[:, None]))
    pulses = d.whitener.pulses
    expected = prior.rate * float(pulses[-1] - pulses[0]) / len(d.step_reads)
    return np.asarray(np.interp(d.grid, d.grid[tried], top + np.log(np.exp(-top) + expected * factors)))


def _knees_to_try(log_p: Array) -> NDArray[np.intp]:
    """Even quantiles of the posterior, and of the same made wider and wider by a temperature of 4, 16 and 64."""
    even = (np.arange(_KNEES_EACH) + 0.5) / _KNEES_EACH
    parts = [np.array([0, len(log_p) - 1])]
    weight = np.exp((log_p - log_p.max()) / _WIDEST_TEMPERATURE)
    for _ in range(_TEMPERATURES):
        cumulative = np.cumsum(weight)
        parts.append(np.searchsorted(cumulative, even * cumulative[-1]))
        weight = weight**4
    return np.unique(np.concatenate(parts))
