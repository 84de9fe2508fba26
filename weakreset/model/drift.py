"""Drift of ln(R/R0) with the number of weak RESET pulses.

Every shape is one `DriftShape`: names, closed form and Jacobian. The fitter, the trace generator and
the PyTorch devices all use the shapes of this file (the last is tested against it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SHAPES", "TWO_SLOPE", "DriftShape", "two_slope"]

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

SHAPES: dict[str, DriftShape] = {TWO_SLOPE.name: TWO_SLOPE}
