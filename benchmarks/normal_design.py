"""How the vectors of `normal_vectors` were found. Not used at run time; to write the file anew:

    python benchmarks/normal_design.py
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weakreset.simulation import normal_vectors

__all__ = ["normal_design"]

Array = NDArray[np.float64]

_SEED = 4
_CLOSE = 1e-12  # of the moments: rounding
_MOST_STEPS = 50  # a bound: Newton doubles the digits once it is near
_LONGEST_STEP = 0.5  # of Newton, far from the solution, where its line is no guide


def normal_design(points: int = 2048, order: int = 8, seed: int = _SEED) -> Array:
    """`points` vectors of four numbers whose moments to `order` + 1 are those of a normal law of variance 1/3.

    Half of the vectors begin as a scrambled Sobol sequence (Owen 1998) put through the normal quantile function and
    are moved as little as possible until all even moments fit (Gauss-Newton); the other half are their opposites.

    Raises
    ------
    ValueError
        Where so few points cannot have so many moments.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    half = points // 2
    x = np.asarray(ndtri(qmc.Sobol(4, seed=np.random.default_rng(seed)).random(half)))
    powers = np.array([p for p in itertools.product(range(order + 1), repeat=4) if sum(p) in range(2, order + 1, 2)])
    scale = np.sqrt(_normal_moments(2 * powers))
    for _ in range(_MOST_STEPS):
        miss = (_monomials(x, powers).mean(axis=1) - _normal_moments(powers)) / scale
        if np.max(np.abs(miss)) < _CLOSE:
            return np.asarray(np.concatenate([x, -x]) / np.sqrt(3.0))
        slope = np.stack([_slopes(x, powers, j) for j in range(4)], axis=2).reshape(len(powers), -1)
        slope /= half * scale[:, None]
        step = slope.T @ np.linalg.solve(slope @ slope.T, miss)
        x = x - min(1.0, _LONGEST_STEP / float(np.max(np.abs(step)))) * step.reshape(x.shape)
    raise ValueError(f"{points} vectors with normal moments to order {order} were not found; take more vectors")


def _monomials(x: Array, powers: NDArray[np.int64]) -> Array:
    """x1^p1 x2^p2 x3^p3 x4^p4 for every row of `powers` and of `x`."""
    ladder = np.stack([x**k for k in range(int(powers.max()) + 1)])
    return np.asarray(np.prod([ladder[powers[:, j], :, j] for j in range(4)], axis=0))


def _slopes(x: Array, powers: NDArray[np.int64], j: int) -> Array:
    """Derivatives of the monomials with respect to x_j."""
    lower = powers.copy()
    lower[:, j] = np.maximum(lower[:, j] - 1, 0)
    return powers[:, j, None] * _monomials(x, lower)


def _normal_moments(powers: NDArray[np.int64]) -> Array:
    """E x^p = (p - 1)!! for even p, 0 for odd ones."""
    from scipy.special import factorial2

    one = np.where(powers % 2 == 0, factorial2(np.maximum(powers - 1, 0)), 0.0)
    one[powers == 0] = 1.0
    return np.asarray(np.prod(one, axis=1))


if __name__ == "__main__":
    np.save(Path(normal_vectors.__file__).with_suffix(".npy"), normal_design().astype(np.float32))
