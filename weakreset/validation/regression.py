"""What a curve says of its device's own numbers: a regression, learned from simulated devices.

For every number (m1, t_star, ...) the regression predicts the normal score z, its square, and the products of two
scores. Their means over devices are, to first order, the statistics of the most powerful tests against a law that
is shifted, that is too wide or too narrow, and against a correlation. Learned from devices that are not in the pool,
it is a fixed function of the curve: however poor the prediction, the permutation test stays exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Regression", "learn", "score_targets"]

Array = NDArray[np.float64]

_N_KNEES = 30  # in equal ratios: neighbours are closer than a knee is known
_N_HIDDEN = 600  # random ramps: the regression is linear in them, so that it is fitted in one step
_RIDGE = 0.01  # of the rows: many of the random ramps are nearly alike
_ROWS = 10_000  # inputs of so many curves take 50 MB
_QUARTILES_OF_NORMAL = 1.349  # distance of the quartiles of a normal law of sd 1


@dataclass(frozen=True, eq=False)
class Regression:
    """Ridge regression on the curve's features and on ramps of random combinations of them.

    Attributes
    ----------
    times : ndarray, shape (n_blocks,)
        Centre of each block of reads, in pulses.
    centre, scale : ndarray, shape (n_features,)
    directions : ndarray, shape (n_features, n_hidden)
    offsets : ndarray, shape (n_hidden,)
    coefficients : ndarray, shape (1 + n_features + n_hidden, n_targets)
    """

    times: Array
    centre: Array
    scale: Array
    directions: Array
    offsets: Array
    coefficients: Array

    def __call__(self, blocks: Array) -> Array:
        """Predicted targets; shape (n_devices, n_targets)."""
        parts = [self._inputs(blocks[i : i + _ROWS]) @ self.coefficients for i in range(0, len(blocks), _ROWS)]
        return np.concatenate(parts)

    def _inputs(self, blocks: Array) -> Array:
        features = np.arcsinh((_curve_features(self.times, blocks) - self.centre) / self.scale)
        ramps = np.maximum(features @ self.directions + self.offsets, 0.0)
        return np.concatenate([np.ones((len(blocks), 1)), features, ramps], axis=1)


def learn(times: Array, blocks: Array, targets: Array, rng: np.random.Generator) -> Regression:
    """Fit the regression.

    Parameters
    ----------
    times : ndarray, shape (n_blocks,)
    blocks : ndarray, shape (n_devices, n_blocks + 1)
        As in `device_features`.
    targets : ndarray, shape (n_devices, n_targets)
    rng : numpy.random.Generator
        For the random combinations.
    """
    features = _curve_features(times, blocks)
    low, centre, high = np.quantile(features, (0.25, 0.5, 0.75), axis=0)
    scale = (high - low) / _QUARTILES_OF_NORMAL
    scale = np.where(scale > 0, scale, 1.0)
    directions = 1.5 * rng.standard_normal((features.shape[1], _N_HIDDEN)) / np.sqrt(features.shape[1])
    offsets = rng.uniform(-1.5, 1.5, _N_HIDDEN)
    empty = Regression(times, centre, scale, directions, offsets, np.zeros((0, 0)))
    inputs = empty._inputs(blocks)
    gram = inputs.T @ inputs
    gram[np.diag_indices(len(gram))] += _RIDGE * len(inputs)
    coefficients = np.asarray(np.linalg.solve(gram, inputs.T @ targets), dtype=np.float64)
    return Regression(times, centre, scale, directions, offsets, coefficients)


def score_targets(numbers: dict[str, Array]) -> tuple[Array, list[tuple[str, ...]]]:
    """Normal scores of each number by rank, their squares, and the products of pairs.

    Returns
    -------
    ndarray, shape (n_devices, n_targets)
    list of tuple of str
        What each target is: (name,) twice, for the score and for its square, then (name, other).
    """
    scores = {name: _normal_scores(values) for name, values in numbers.items()}
    names = list(scores)
    pairs = [(names[j], names[i]) for i in range(len(names)) for j in range(i)]
    columns = [scores[name] for name in names] + [scores[name] ** 2 for name in names]
    columns += [scores[x] * scores[y] for x, y in pairs]
    return np.stack(columns, axis=1), [*((name,) for name in (*names, *names)), *pairs]


def _normal_scores(values: Array) -> Array:
    """By rank; equal values share one."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(special.ndtri((np.cumsum(count) - 0.5 * count)[place] / len(values)))


def _curve_features(times: Array, blocks: Array) -> Array:
    """The blocks, and the best broken line through them: its knee, two slopes, level and misfit."""
    curve = blocks[:, :-1]
    best = np.full(len(curve), np.inf)
    found = np.zeros((len(curve), 4))
    level = np.ones_like(times)
    for knee in np.geomspace(times[min(1, len(times) - 1)], times[-1], _N_KNEES, endpoint=False):
        design = np.stack([level, np.minimum(times, knee), np.maximum(times - knee, 0.0)], axis=1)
        numbers = curve @ np.linalg.pinv(design).T
        misfit = ((curve - numbers @ design.T) ** 2).sum(axis=1)
        better = misfit < best
        best = np.where(better, misfit, best)
        found[better] = np.column_stack([np.full(int(better.sum()), np.log(knee)), numbers[better]])
    return np.column_stack([blocks, found, np.log(np.maximum(best, np.finfo(float).tiny))])
