"""Does a curve bend where the model's curves bend? What is left of each device's curve beside its best broken line.

The reads are averaged in even blocks, and the broken line with the least misfit is taken away. What is left is looked
at for a bow before the knee, a bow after it, and a corner that is cut at it: correlations with three contrasts that no
broken line with that knee can explain, so they are small wherever the drift consists of two straight lines, and of
either sign. Replicas are treated alike, whatever their drift is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.plan import Plan

__all__ = ["N_SHAPE_FEATURES", "shape_features"]

Array = NDArray[np.float64]

N_SHAPE_FEATURES = 3
_N_BLOCKS = 48  # means of reads: enough to see a bow, few enough that noise averages out
_LEAST_BLOCKS = 16  # a knee and a bow on both sides need that many points
_MARGIN = 4  # blocks on either side of a knee, or its line would have no slope


def shape_features(pulses: NDArray[np.int64], log_r: Array, plan: Plan) -> Array:
    """Correlation of each device's misfit with a bow before the knee, one after it, and a cut corner.

    Returns
    -------
    ndarray, shape (n_devices, N_SHAPE_FEATURES)
        NaN where the reads do not fill 16 blocks up to where the plan ends.
    """
    last = int(plan.block_edges[-1]) - 1
    inside = np.flatnonzero((pulses >= 1) & (pulses <= last))
    n_blocks = min(_N_BLOCKS, len(inside) // 2)
    if n_blocks < _LEAST_BLOCKS or pulses[-1] < last:
        return np.full((len(log_r), N_SHAPE_FEATURES), np.nan)
    edges = np.linspace(0, len(inside), n_blocks + 1).astype(int)
    times = np.add.reduceat(pulses[inside].astype(float), edges[:-1]) / np.diff(edges)
    means = np.add.reduceat(log_r[:, inside], edges[:-1], axis=1) / np.diff(edges)
    least = np.full(len(log_r), np.inf)
    found = np.zeros((len(log_r), N_SHAPE_FEATURES))
    for base, contrasts in _lines(tuple(times.tolist())):
        left = means - (means @ base) @ base.T
        misfit = np.einsum("ij,ij->i", left, left)
        better = misfit < least
        least[better] = misfit[better]
        found[better] = left[better] @ contrasts
    return np.asarray(found / np.sqrt(np.maximum(least, np.finfo(float).tiny))[:, None])


@lru_cache(maxsize=8)
def _lines(times: tuple[float, ...]) -> list[tuple[Array, Array]]:
    """For each knee an orthonormal base of broken lines, and unit contrasts that are orthogonal to it."""
    t = np.array(times)
    t = (t - t[0]) / (t[-1] - t[0])
    lines = []
    for k in range(_MARGIN, len(t) - _MARGIN):
        knee, ahead, behind = t[k], t <= t[k], t > t[k]
        base, _ = np.linalg.qr(np.column_stack([np.ones_like(t), np.minimum(t, knee), np.maximum(t - knee, 0.0)]))
        reach = min(knee, 1.0 - knee)
        wanted = np.column_stack([
            ahead * (t / knee) * (1.0 - t / knee), behind * (t - knee) * (1.0 - t),
            -np.maximum(1.0 - np.abs(t - knee) / (0.5 * reach), 0.0),
        ])
        wanted = wanted - base @ (base.T @ wanted)
        lines.append((base, wanted / np.linalg.norm(wanted, axis=0)))
    return lines
