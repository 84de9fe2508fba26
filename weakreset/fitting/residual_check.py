"""What the residuals of a fit say of it: errors that hold where the noise is not as assumed, and the drift's shape.

Whitened residuals e of a right model are white with unit variance. Two looks at them, both linear:

**Errors.** With J the whitened Jacobian, (J'J)^-1 is the covariance only if e is white. The sandwich
(J'J)^-1 [sum_b g_b g_b'] (J'J)^-1, g_b the sum of J_t e_t over a block b of neighbouring reads, holds for noise of
slowly varying size and for whatever correlation is shorter than a block (Huber 1967; Newey and West 1987). Its ratio to
the assumed variance, where above one, inflates what is reported.

**Shape.** Columns that a drift of another shape would need (a knee that is round, another knee, a fast start, a bend)
are projected on what the fit left. Under the right shape each has a score that is standard normal, whatever the sign;
devices of a wrong shape share the sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.result import DeviceFit, ResidualCheck
from weakreset.fitting.whitening import Whitener

__all__ = ["CONTRASTS", "check_residuals"]

Array = NDArray[np.float64]

_BLOCKS = 16  # long enough to hold the memory of a block, and enough of them to know a spread
_LEAST_READS_A_BLOCK = 6  # shorter blocks would call what neighbours share independent
_LEAST_LEFT = 1e-3  # what the fit leaves of a contrast; below it the fit has taken it up

CONTRASTS = (
    "their knee is round", "they bend before the knee too", "they bend after the knee too",
    "their first pulses move them faster", "they are bent throughout",
)


def check_residuals(
    whitener: Whitener, fits: Sequence[DeviceFit], jacobians: Sequence[Array]
) -> list[ResidualCheck]:
    """A look at each fit of traces read at the pulses of this whitener.

    Parameters
    ----------
    whitener : Whitener
    fits : sequence of DeviceFit
    jacobians : sequence of ndarray
        Whitened derivatives of each model by lmfit's parameters.
    """
    t = whitener.pulses.astype(np.float64)
    wanted = _whitened(whitener, [_contrasts(t, _place(fit, t)) for fit in fits])
    checks = []
    for fit, jacobian, contrasts in zip(fits, jacobians, wanted, strict=True):
        residuals = np.asarray(fit.result.residual)
        inflation = dict(zip(fit.result.params, _sandwich(jacobian, residuals).tolist(), strict=True))
        checks.append(ResidualCheck(inflation, _scores(jacobian, contrasts, residuals)))
    return checks


def _place(fit: DeviceFit, t: Array) -> float:
    """The knee of a device, or its last read."""
    knee = fit.numbers.get(fit.drift.knee, t[-1]) if fit.fitted_as == fit.drift.name else t[-1]
    return float(np.clip(knee, t[3], t[-1]))


def _whitened(whitener: Whitener, matrices: Sequence[Array]) -> list[Array]:
    """Whitened columns of each matrix, all in one go; a column that several have is whitened once."""
    places: dict[bytes, int] = {}
    distinct: list[Array] = []
    wanted: list[list[int]] = []
    for matrix in matrices:
        wanted.append([])
        for column in np.ascontiguousarray(matrix.T):
            place = places.setdefault(column.tobytes(), len(distinct))
            if place == len(distinct):
                distinct.append(column)
            wanted[-1].append(place)
    if not distinct:
        return []
    white = whitener.rows(np.stack(distinct))
    return [np.ascontiguousarray(white[places].T) for places in wanted]


def _contrasts(t: Array, knee: float) -> Array:
    """Columns of `CONTRASTS`."""
    last, width = t[-1], knee / 3.0
    sharp = np.maximum(t - knee, 0.0)
    return np.column_stack([
        width * np.logaddexp(0.0, (t - knee) / width) - sharp,
        np.maximum(t - 0.5 * knee, 0.0),
        np.maximum(t - knee - 0.4 * (last - knee), 0.0),
        np.exp(-t / (last / 50.0)),
        (t / last) ** 2,
    ])


def _sandwich(jacobian: Array, residuals: Array) -> Array:
    """Standard errors by blocks over those of white residuals of unit variance, by column."""
    n, p = jacobian.shape
    scale = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
    unit = jacobian / np.where(scale > 0, scale, 1.0)
    bread = np.linalg.pinv(unit.T @ unit)
    n_blocks = min(_BLOCKS + p, n // _LEAST_READS_A_BLOCK)  # the fit makes p sums over all blocks zero
    edges = np.linspace(0, n, n_blocks + 1).astype(int)
    parts = np.add.reduceat(unit * residuals[:, None], edges[:-1], axis=0)
    meat = parts.T @ parts * (n_blocks / max(n_blocks - p, 1))
    ratio = np.diag(bread @ meat @ bread) / np.maximum(np.diag(bread), 1e-300)
    return np.asarray(np.sqrt(np.maximum(ratio, 0.0)))


def _scores(jacobian: Array, wanted: Array, residuals: Array) -> Array:
    """What is left of each contrast beside the fit's own columns, times the residuals, over its length."""
    q, _ = np.linalg.qr(jacobian)
    left = wanted - q @ (q.T @ wanted)
    length = np.sqrt(np.einsum("ij,ij->j", left, left))
    whole = np.sqrt(np.einsum("ij,ij->j", wanted, wanted))
    told = length > _LEAST_LEFT * whole
    score = left.T @ residuals / np.where(told, length, 1.0)
    return np.where(told, score, np.nan)
