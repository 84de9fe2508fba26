"""How a telegraph step too small to be found may have moved the knee.

The search keeps a step only where the evidence for it is strong. A weaker one stays in the trace, bends the drift, and
an interval for the knee that is sure of "no further step" is then too narrow. So the likelihood of every knee is
averaged over no further step and one further step anywhere:

    L(k) (1 + rate * sum_s BF_s(k)),   BF_s(k) = sqrt(v / (v + a^2)) exp(gain_s(k) / 2 * a^2 / (v + a^2)),

with `rate` steps per pulse, an amplitude ~ N(0, a^2), v the variance of the amplitude of a step at s beside a
knee at k, and gain_s(k) what it raises 2 ln L by at its best amplitude.

In k the factor is smooth but for a few places, where a step beside the knee takes over. So it is worked out at some
knees, and between two of them where halving shows that a straight line is not enough, as far as the posterior is not
negligible there.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.design import Design
from weakreset.fitting.dictionary import Dictionary

__all__ = ["StepPrior", "log_missed_steps"]

Array = NDArray[np.float64]

_WIDEST_TEMPERATURE = 64.0  # flattens ln p of hundreds to a few: knees far from the best are tried too
_TEMPERATURES = 4  # each a quarter of the one before: 64, 16, 4, 1
_KNEES_EACH = 6  # quantiles of the flattened posterior, from either flank of the peak
_MATTERS = 7.0  # exp(-7) is a thousandth: a knee below it adds nothing to an interval of 95 %
_WIDEST_GAP = 32  # a step beside the knee takes over within more candidates than that
_STRAIGHT = 0.003
"""Nats by which a straight line may miss the factor half-way between two knees; a quarter of that then remains."""


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
    factor_at = _Factor(d, products, design, variance, prior)
    values = np.zeros(len(d.grid))
    # `straight`: whether a line from this knee to the next known one will do
    known, straight = np.zeros((2, len(d.grid)), dtype=bool)
    known[_knees_to_try(log_p)] = known[::_WIDEST_GAP] = True
    tried = np.flatnonzero(known)
    values[tried] = factor_at(tried)
    while True:
        factor = np.interp(d.grid, d.grid[tried], values[tried])
        likely = log_p + factor
        near = likely > likely[tried].max() - _MATTERS
        # an interval matters where one of its candidates does, its ends included
        passed = np.concatenate([[0], np.cumsum(near)])
        matters = passed[tried[1:] + 1] > passed[tried[:-1]]
        halved = np.flatnonzero(matters & (tried[1:] - tried[:-1] > 1) & ~straight[tried[:-1]])
        if not len(halved):
            return np.asarray(factor)
        first, middle = tried[halved], (tried[halved] + tried[halved + 1]) // 2
        values[middle], known[middle] = factor_at(middle), True
        straight[first] = straight[middle] = np.abs(values[middle] - factor[middle]) < _STRAIGHT
        tried = np.flatnonzero(known)


class _Beside:
    """What a design leaves of knees and steps, and of each other.

    Attributes
    ----------
    inverse, step_mixed, step_length, knee_mixed, knee_length : ndarray
    """

    def __init__(self, dictionary: Dictionary, design: Design, inverse: Array) -> None:
        d = self.dictionary = dictionary
        fixed, mix = np.asarray(design.fixed), design.mix
        self.by_step, by_knee = mix.T @ d.gram[fixed, d.steps], mix.T @ d.gram[fixed, d.profiles]
        self.step_mixed = inverse @ self.by_step
        self.step_length = d.lengths[d.steps] - np.einsum("ij,ij->j", self.by_step, self.step_mixed)
        self.knee_mixed = inverse @ by_knee
        length = d.lengths[d.profiles]
        self.knee_length = np.maximum(length - np.einsum("ij,ij->j", by_knee, self.knee_mixed), 1e-12 * length)

    def rows(self, tried: NDArray[np.intp]) -> tuple[Array, Array]:
        """Products of these knees with all steps, and squared lengths of the steps beside each."""
        d = self.dictionary
        return self._left(d.gram[d.profiles.start + tried, d.steps] - self.knee_mixed[:, tried].T @ self.by_step, tried)

    def _left(self, cross: Array, tried: NDArray[np.intp]) -> tuple[Array, Array]:
        left = cross * cross
        left /= -self.knee_length[tried, None]
        left += self.step_length
        return cross, np.maximum(left, 0.0, out=left)


class _BesideBase(_Beside):
    """The same for all devices without steps.

    Rows are worked out when they are first asked for, each element for itself: in the same bits whoever asks.
    """

    def __init__(self, dictionary: Dictionary, design: Design, inverse: Array) -> None:
        super().__init__(dictionary, design, inverse)
        self.mixed = dictionary.base_mix()
        self.cross, self.left = np.empty((2, len(dictionary.grid), len(dictionary.step_reads)))
        self.known = np.zeros(len(dictionary.grid), dtype=bool)

    def rows(self, tried: NDArray[np.intp]) -> tuple[Array, Array]:
        d, new = self.dictionary, tried[~self.known[tried]]
        if len(new):
            cross = d.gram[d.profiles.start + new, d.steps]
            for weights, column in zip(self.mixed[:, new], d.base, strict=True):
                cross -= weights[:, None] * d.gram[column, d.steps]
            self.cross[new], self.left[new] = self._left(cross, new)
            self.known[new] = True
        return self.cross[tried], self.left[tried]


_BESIDE_BASE: WeakKeyDictionary[Dictionary, _BesideBase] = WeakKeyDictionary()


def _beside(dictionary: Dictionary, design: Design, inverse: Array) -> _Beside:
    if design.steps:
        return _Beside(dictionary, design, inverse)
    if dictionary not in _BESIDE_BASE:
        _BESIDE_BASE[dictionary] = _BesideBase(dictionary, design, inverse)
    return _BESIDE_BASE[dictionary]


class _Factor:
    """ln of the factor at chosen knees of one device."""

    def __init__(
        self, dictionary: Dictionary, products: Array, design: Design, variance: float, prior: StepPrior
    ) -> None:
        d = dictionary
        inverse, known = design.normal(d, products)
        self.beside = _beside(d, design, inverse)
        # gains are squares of products in these units, over squared lengths
        unit = np.sqrt(0.5 / variance)
        self.step_product = unit * (products[d.steps] - known @ self.beside.step_mixed)
        self.knee_added = unit * (products[d.profiles] - known @ self.beside.knee_mixed) / self.beside.knee_length
        self.ratio = variance / prior.amplitude**2
        pulses = d.whitener.pulses
        self.expected = prior.rate * float(pulses[-1] - pulses[0]) / len(d.step_reads)

    def __call__(self, tried: NDArray[np.intp]) -> Array:
        cross, length = self.beside.rows(tried)
        # what large numbers leave of each other is worked out in double precision; what is added up in the end needs
        # no more than single, which takes half the time and has the fast exponential
        cross *= self.knee_added[tried, None]
        gain = np.subtract(self.step_product, cross, out=cross).astype(np.float32)
        length += self.ratio
        left = length.astype(np.float32)
        gain *= gain
        gain /= left
        top = gain.max(axis=1)
        gain -= top[:, None]
        terms = np.exp(gain, out=gain)
        terms /= np.sqrt(left, out=left)
        factors = np.sqrt(self.ratio) * terms.sum(axis=1).astype(np.float64)
        top = top.astype(np.float64)
        return np.asarray(top + np.log(np.exp(-top) + self.expected * factors))


def _knees_to_try(log_p: Array) -> NDArray[np.intp]:
    """Even quantiles of the posterior, and of the same made wider and wider by a temperature of 4, 16 and 64."""
    even = (np.arange(_KNEES_EACH) + 0.5) / _KNEES_EACH
    parts = [np.array([0, len(log_p) - 1])]
    weight = np.exp((log_p - log_p.max()) / _WIDEST_TEMPERATURE)
    for _ in range(_TEMPERATURES):
        cumulative = np.cumsum(weight)
        parts.append(np.searchsorted(cumulative, even * cumulative[-1]))
        weight *= weight
        weight *= weight
    return np.concatenate(parts)
