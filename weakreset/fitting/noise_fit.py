"""Noise of the technology, pooled over devices: alpha, the exponent of 1/f^exponent, and read noise.

Restricted maximum likelihood (REML; Patterson & Thompson 1971): what the drift and the telegraph steps
can explain is projected out first, so that fitting them does not make the noise look smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.whitening import NoiseColour, NoiseProfile, Whitener

__all__ = ["MIN_GAIN", "ColourFit", "DesignedTraces", "fit_colour", "robust_alpha"]

Array = NDArray[np.float64]
_Criterion = Callable[[NoiseColour], tuple[float, float, int]]

_LEAST_READ_RATIO = 1e-3  # of the 1/f variance: it changes no error by a per cent
_EXPONENTS = (0.0, 1.95)  # white to nearly 2, where a stationary spectrum ends
MIN_GAIN = 6.0
"""Of the criterion, for one more number in a noise that all devices share."""
_LOG_WANDERS = (-14.0, 2.0)  # less is not seen in any trace that fits into memory
_RIDGE = 1e-9  # columns are scaled to one, so this is a part in a billion of each
_FAR = 0.5  # from the first guess, before the whole range of exponents is searched


class _Alike(NamedTuple):
    """Devices with as many reads and columns: which of all columns are their traces, and which their designs."""

    length: int
    devices: NDArray[np.intp]
    places: NDArray[np.intp]


@dataclass(frozen=True)
class DesignedTraces:
    """Traces of one common grid, with the design each was found to need.

    Attributes
    ----------
    pulses : ndarray of int, shape (n,)
        The common grid.
    traces : ndarray, shape (n_devices, n)
        Any number where there is no read.
    designs : list of ndarray, each (n, p)
        Columns of drift and telegraph steps of each device, not whitened, and one for each read that is missing.
    lengths : sequence of int
        Reads of the grid up to each device's last one.
    """

    pulses: NDArray[np.int64]
    traces: Array
    designs: Sequence[Array]
    lengths: Sequence[int]

    @cached_property
    def columns(self) -> Array:
        """All traces, then all designs; shape (n, n_devices + columns of all designs)."""
        return np.column_stack([self.traces.T, *self.designs])

    @cached_property
    def alike(self) -> list[_Alike]:
        """Devices whose matrices have the same shape: they are worked on together."""
        first = len(self.traces) + np.cumsum([0, *(design.shape[1] for design in self.designs)])
        by_shape: dict[tuple[int, int], list[int]] = {}
        for i, design in enumerate(self.designs):
            by_shape.setdefault((design.shape[1], self.lengths[i]), []).append(i)
        return [
            _Alike(n, np.array(devices), first[devices][:, None] + np.arange(width))
            for (width, n), devices in by_shape.items()
        ]


@dataclass(frozen=True)
class ColourFit:
    """Pooled noise: colour, alpha (NaN: each device its own), standard errors (None where there are none)."""

    colour: NoiseColour
    alpha: float
    alpha_stderr: float | None
    exponent_stderr: float | None


def robust_alpha(white: Array) -> Array:
    """Alpha of each device from its whitened residuals, little moved by telegraph steps; shape (n_devices,).

    The mean of the smallest 98 % of |x|, times 1.3162 to make it the standard deviation of a normal law. A
    median would be zero where an instrument resolves fewer steps than the noise makes.
    """
    size = np.sort(np.abs(white - white.mean(axis=1, keepdims=True)), axis=1)
    kept = size[:, : max(1, int(0.98 * size.shape[1]))]
    return np.asarray(1.3162 * kept.mean(axis=1))


def fit_colour(
    groups: Sequence[DesignedTraces],
    exponent: float | None = None,
    read_ratio: float | None = None,
    start: float = 1.0,
    reach: float = 0.6,
    rough: bool = False,
    profile: NoiseProfile | None = None,
    wanders: bool = False,
) -> ColourFit:
    """Pooled REML estimate of the noise.

    Parameters
    ----------
    groups : sequence of DesignedTraces
    exponent, read_ratio : float, optional
        Fixed where given. `read_ratio` is (read noise / alpha)^2; unless given, read noise is taken up
        only where it raises 2 ln L by more than 6.
    start, reach : float
        The exponent is searched between start - reach and start + reach.
    rough : bool
        Whether the exponent to a few hundredths is enough, without its standard error.
    profile : NoiseProfile, optional
        How the size of the noise changes along the traces.
    wanders : bool
        Whether to look for a random walk of the baseline beside it; taken up as read noise is.
    """
    criterion = cache(partial(_criterion, groups, profile))
    if exponent is not None:
        chosen, ratio = exponent, 0.0 if read_ratio is None else read_ratio
    else:
        chosen, ratio = _best_exponent(criterion, read_ratio or 0.0, start, reach, rough), read_ratio or 0.0
    if read_ratio is None:
        chosen, ratio = _with_read_noise(criterion, chosen, exponent is None)
    colour = NoiseColour(chosen, ratio)
    if wanders:
        colour = _with_wander(criterion, colour, exponent is None)
    _, variance, freedom = criterion(colour)
    alpha = float(np.sqrt(variance))
    error = _exponent_stderr(criterion, colour) if exponent is None and not rough else None
    return ColourFit(replace(colour, profile=profile), alpha, alpha / float(np.sqrt(2.0 * freedom)), error)


def _criterion(
    groups: Sequence[DesignedTraces], profile: NoiseProfile | None, colour: NoiseColour
) -> tuple[float, float, int]:
    """-2 ln of the restricted likelihood maximised over alpha, alpha^2, degrees of freedom."""
    rss, freedom, log_dets = 0.0, 0, 0.0
    for group in groups:
        whitener = Whitener(group.pulses, replace(colour, profile=profile))
        white = whitener.columns(group.columns).T
        for alike in group.alike:
            n, width = alike.length, alike.places.shape[1]
            # a trace that ends earlier has the leading rows
            traces, designs = white[alike.devices, :n], white[alike.places, :n]
            gram = designs @ designs.transpose(0, 2, 1)
            product = (designs @ traces[:, :, None])[:, :, 0]
            scale = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
            # the ridge lets two columns coincide (a step at the knee) without counting twice
            factor = np.linalg.cholesky(gram / (scale[:, :, None] * scale[:, None, :]) + _RIDGE * np.eye(width))
            explained = np.linalg.solve(factor, (product / scale)[:, :, None])
            rss += float(np.vdot(traces, traces) - np.vdot(explained, explained))
            freedom += len(traces) * (n - width)
            log_dets += len(traces) * float(whitener.log_dets[n - 1])
            log_dets += 2.0 * float(np.log(np.diagonal(factor, axis1=1, axis2=2) * scale).sum())
    variance = rss / freedom
    return freedom * float(np.log(variance)) + log_dets + freedom, variance, freedom


def _best_exponent(criterion: _Criterion, read_ratio: float, start: float, reach: float, rough: bool) -> float:
    low, high = max(_EXPONENTS[0], start - reach), min(_EXPONENTS[1], start + reach)
    found = optimize.minimize_scalar(
        lambda b: criterion(NoiseColour(float(b), read_ratio))[0],
        bounds=(low, high), method="bounded", options={"xatol": 0.03 if rough else 4e-3},
    )
    at_an_end = min(abs(found.x - low), abs(found.x - high)) < 0.1 * reach
    if reach > _FAR or not at_an_end:
        return float(found.x)
    return _best_exponent(criterion, read_ratio, start, 4 * reach, rough)


def _with_read_noise(criterion: _Criterion, exponent: float, free: bool) -> tuple[float, float]:
    """Add read noise where the data ask for it; the exponent moves with it when free."""
    alone = criterion(NoiseColour(exponent, 0.0))[0]
    start = np.array([np.log(0.3), exponent])
    gain_at = alone - criterion(NoiseColour(min(exponent + 0.05, _EXPONENTS[1]), 0.1))[0]
    gain_fixed = alone - criterion(NoiseColour(exponent, 0.03))[0]
    if max(gain_at, gain_fixed) < 0:
        return exponent, 0.0

    def objective(x: Array) -> float:
        beta = float(np.clip(x[1], *_EXPONENTS)) if free else exponent
        return criterion(NoiseColour(beta, float(np.exp(np.clip(x[0], -9, 9)))))[0]

    found = optimize.minimize(
        objective, start if free else start[:1], method="Nelder-Mead",
        options={"xatol": 5e-3, "fatol": 0.05, "maxiter": 80},
    )
    ratio = float(np.exp(np.clip(found.x[0], -9, 9)))
    if alone - float(found.fun) < MIN_GAIN or ratio < _LEAST_READ_RATIO:
        return exponent, 0.0
    return (float(np.clip(found.x[1], *_EXPONENTS)) if free else exponent), ratio


def _with_wander(criterion: _Criterion, colour: NoiseColour, free: bool) -> NoiseColour:
    """Add a random walk of the baseline where the data ask for it; the exponent moves with it when free."""
    alone, start = criterion(colour)[0], colour.exponent or 0.0

    def wandering(x: Array) -> NoiseColour:
        exponent = float(np.clip(x[1], *_EXPONENTS)) if free else start
        return replace(colour, exponent=exponent, wander=float(np.exp(np.clip(x[0], *_LOG_WANDERS))))

    found = optimize.minimize(
        lambda x: criterion(wandering(x))[0], np.array([np.log(1e-2), max(start - 0.1, 0.0)][: 1 + free]),
        method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.05, "maxiter": 60},
    )
    return colour if alone - float(found.fun) < MIN_GAIN else wandering(found.x)


def _exponent_stderr(criterion: _Criterion, colour: NoiseColour) -> float | None:
    """From the curvature of the profiled criterion."""
    exponent, h = colour.exponent or 0.0, 0.02
    values = [criterion(replace(colour, exponent=max(exponent + step, 0.0)))[0] for step in (-h, 0.0, h)]
    curvature = (values[0] - 2 * values[1] + values[2]) / h**2
    return float(np.sqrt(2.0 / curvature)) if curvature > 0 else None
