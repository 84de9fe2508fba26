"""Drift of ln(R/R0) with the number of weak RESET pulses t.

    two-slope                m1 t + c1 before the knee t_star, slope m2 after it, continuous
    single-slope             m1 t + c1
    power-law                a t^b + c1
    saturating-exponential   rise (1 - exp(-t/tau)) + c1

Every shape is one `DriftShape`: names, closed form and Jacobian. The fitter, the trace generator and
the PyTorch devices all use the shapes of this file (the last is tested against it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["POWER_LAW", "SATURATING", "SHAPES", "SINGLE_SLOPE", "TWO_SLOPE", "DriftShape", "two_slope"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DriftShape:
    """A closed form for the mean of ln(R/R0) after `t` >= 1 pulses.

    Attributes
    ----------
    name : str
        Key used by `--drift` and by `model` in the parameter file.
    parameters : tuple of str
        Names of its numbers, in order.
    units : mapping of str to str
        Unit of each.
    value : callable
        (t, *numbers) -> ln(R/R0); numbers broadcast against `t`.
    jacobian : callable
        (t, *numbers) -> derivative by each number, stacked on a new last axis.
    """

    name: str
    parameters: tuple[str, ...]
    units: Mapping[str, str]
    value: Callable[..., Array]
    jacobian: Callable[..., Array]


def two_slope(t: ArrayLike, m1: ArrayLike, t_star: ArrayLike, c1: ArrayLike, m2: ArrayLike) -> Array:
    """Two straight lines that meet at the knee `t_star` (Majumdar et al. 2021, drift equation).

    Parameters
    ----------
    t : array_like
        RESET pulses since the last SET, >= 1.
    m1, m2 : array_like
        Slope of ln R per pulse before and after the knee.
    t_star : array_like
        The knee, in pulses.
    c1 : array_like
        Offset at the first pulse, extrapolated to t = 0.

    Returns
    -------
    ndarray
        ln(R/R0), shape of the broadcast of all arguments.
    """
    t, m1, t_star, c1, m2 = (np.asarray(a, dtype=np.float64) for a in (t, m1, t_star, c1, m2))
    return np.asarray(c1 + m1 * np.minimum(t, t_star) + m2 * np.maximum(t - t_star, 0.0))


def _two_slope_jacobian(t: ArrayLike, m1: ArrayLike, t_star: ArrayLike, c1: ArrayLike, m2: ArrayLike) -> Array:
    t, m1, t_star, c1, m2 = (np.asarray(a, dtype=np.float64) for a in (t, m1, t_star, c1, m2))
    before = np.minimum(t, t_star)
    after = np.maximum(t - t_star, 0.0)
    by_knee = np.where(t > t_star, m1 - m2, 0.0)
    one = np.ones(np.broadcast_shapes(before.shape, c1.shape))
    return np.stack(np.broadcast_arrays(before, by_knee, one, after), axis=-1)


TWO_SLOPE = DriftShape(
    name="two-slope",
    parameters=("m1", "t_star", "c1", "m2"),
    units={"m1": "1/pulse", "t_star": "pulse", "c1": "1", "m2": "1/pulse"},
    value=two_slope,
    jacobian=_two_slope_jacobian,
)


def _single_slope(t: ArrayLike, m1: ArrayLike, c1: ArrayLike) -> Array:
    return np.asarray(np.asarray(c1) + np.asarray(m1) * np.asarray(t, dtype=np.float64))


def _single_slope_jacobian(t: ArrayLike, m1: ArrayLike, c1: ArrayLike) -> Array:
    t, m1, c1 = np.broadcast_arrays(np.asarray(t, dtype=np.float64), m1, c1)
    return np.stack([t, np.ones_like(t)], axis=-1)


SINGLE_SLOPE = DriftShape(
    name="single-slope",
    parameters=("m1", "c1"),
    units={"m1": "1/pulse", "c1": "1"},
    value=_single_slope,
    jacobian=_single_slope_jacobian,
)


def _power_law(t: ArrayLike, a: ArrayLike, b: ArrayLike, c1: ArrayLike) -> Array:
    t, a, b, c1 = (np.asarray(x, dtype=np.float64) for x in (t, a, b, c1))
    return np.asarray(c1 + a * t**b)


def _power_law_jacobian(t: ArrayLike, a: ArrayLike, b: ArrayLike, c1: ArrayLike) -> Array:
    t, a, b, c1 = np.broadcast_arrays(np.asarray(t, dtype=np.float64), a, b, c1)
    power = t**b
    log_t = np.log(np.where(t > 0, t, 1.0))
    return np.stack([power, a * power * log_t, np.ones_like(t)], axis=-1)


POWER_LAW = DriftShape(
    name="power-law",
    parameters=("a", "b", "c1"),
    units={"a": "1", "b": "1", "c1": "1"},
    value=_power_law,
    jacobian=_power_law_jacobian,
)


def _saturating(t: ArrayLike, rise: ArrayLike, tau: ArrayLike, c1: ArrayLike) -> Array:
    ratio = np.asarray(t, dtype=np.float64) / np.asarray(tau, dtype=np.float64)
    return np.asarray(np.asarray(c1) - np.asarray(rise) * np.expm1(-ratio))


def _saturating_jacobian(t: ArrayLike, rise: ArrayLike, tau: ArrayLike, c1: ArrayLike) -> Array:
    t, rise, tau, c1 = np.broadcast_arrays(
        np.asarray(t, dtype=np.float64), rise, np.asarray(tau, dtype=np.float64), c1
    )
    decay = np.exp(-t / tau)
    return np.stack([1.0 - decay, -rise * decay * t / tau**2, np.ones_like(t)], axis=-1)


SATURATING = DriftShape(
    name="saturating-exponential",
    parameters=("rise", "tau", "c1"),
    units={"rise": "1", "tau": "pulse", "c1": "1"},
    value=_saturating,
    jacobian=_saturating_jacobian,
)

SHAPES: dict[str, DriftShape] = {
    shape.name: shape for shape in (TWO_SLOPE, SINGLE_SLOPE, POWER_LAW, SATURATING)
}
