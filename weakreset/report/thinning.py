"""Long columns of numbers as short text: few points that keep the extremes, few bits a number."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["autocorrelation", "bends", "column", "extremes", "positions"]

Array = NDArray[np.float64]


def extremes(values: Array, most: int) -> NDArray[np.int64]:
    """Indices of at most about `most` values: the lowest and the highest of each stretch, first and last.

    A single outlier or step therefore survives, which plain thinning would lose.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    width = -(-2 * n // most)  # two of each stretch are kept, so stretches are twice as long; rounded up
    stretches = -(-n // width)
    padded = np.append(values, np.full(stretches * width - n, values[-1])).reshape(stretches, width)
    starts = width * np.arange(stretches)
    chosen = np.concatenate([starts + padded.argmin(axis=1), starts + padded.argmax(axis=1), [0, n - 1]])
    return np.unique(np.minimum(chosen, n - 1))


def column(values: Array | NDArray[np.int64], n_bytes: int) -> list[Any]:
    """[lowest, highest, base64 of little-endian unsigned integers between them]; error below a step's half."""
    low, high = float(values.min()), float(values.max())
    top = 256**n_bytes - 1
    # evenly between the ends: 255 or 65,535 steps are finer than a screen
    levels = np.rint((values - low) * (top / (high - low))) if high > low else np.zeros(len(values))
    raw = levels.astype("<u1" if n_bytes == 1 else "<u2").tobytes()
    return [_short(low), _short(high), base64.b64encode(raw).decode("ascii")]


def positions(pulses: NDArray[np.int64]) -> list[Any]:
    """Rising pulse numbers: [first, base64 of steps of one byte each], or a `column` where a step is too long."""
    steps = np.diff(pulses, prepend=pulses[:1])
    if steps.max() > 255:
        return column(pulses, 2)
    return [int(pulses[0]), base64.b64encode(steps.astype("<u1").tobytes()).decode("ascii")]


def bends(pulses: NDArray[np.int64], values: Array) -> list[list[Any]]:
    """Pulses and values of a curve without the points that lie on the line between their neighbours."""
    keep = np.ones(len(pulses), dtype=bool)
    if len(pulses) > 2:
        share = (pulses[1:-1] - pulses[:-2]) / (pulses[2:] - pulses[:-2])
        between = values[:-2] + share * (values[2:] - values[:-2])
        keep[1:-1] = np.abs(values[1:-1] - between) > 1e-6 * max(float(np.ptp(values)), 1e-12)
    return [[int(pulse) for pulse in pulses[keep]], [_short(value) for value in values[keep]]]


def autocorrelation(values: Array, most_lags: int) -> Array:
    """Of consecutive values, lags 1 to `most_lags` (at most a third of the length), biased estimator."""
    centred = values - values.mean()
    total = float(centred @ centred)
    n_lags = min(most_lags, len(values) // 3)
    if not total > 0:
        return np.empty(0)
    # divided by n, not n - lag: large lags do not scatter wildly
    return np.array([float(centred[:-lag] @ centred[lag:]) / total for lag in range(1, n_lags + 1)])


def _short(value: float) -> float:
    return float(f"{value:.6g}")
