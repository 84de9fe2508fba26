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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import SHAPES

__all__ = ["CONTRASTS", "ResidualCheck", "check_residuals"]

Array = NDArray[np.float64]

_BLOCKS = 16  # long enough to hold the memory of a block, and enough of them to know a spread
_LEAST_READS_A_BLOCK = 6  # shorter blocks would call what neighbours share independent
_LEAST_LEFT = 1e-3  # what the fit leaves of a contrast; below it the fit has taken it up

CONTRASTS = (
    "their knee is round", "they bend before the knee too", "they bend after the knee too",
    "their first pulses move them faster", "they are bent throughout",
)


@dataclass(frozen=True)
class ResidualCheck:
    """Of one device.

    Attributes
    ----------
    inflation : dict of str to float
        By lmfit parameter: the sandwich's standard error over the assumed one.
    scores : ndarray, shape (len(CONTRASTS),)
        Standard normal where the shape holds; NaN where the contrast cannot be told from the fit's own numbers.
    """

    inflation: dict[str, float]
    scores: Array


def check_residuals(fits: Sequence[DeviceFit]) -> list[ResidualCheck | None]:
    """A look at each fit; None for those without a result."""
    known = [i for i, fit in enumerate(fits) if fit.result is not None and fit.white_residuals is not None]
    checks: list[ResidualCheck | None] = [None] * len(fits)
    by_colour: dict[NoiseColour, list[int]] = {}
    for i in known:
        by_colour.setdefault(fits[i].colour, []).append(i)
    for colour, same in by_colour.items():
        for common, members in common_grids([fits[i].pulses for i in same]):
            whitener = Whitener(common, colour)
            for i in (same[member] for member in members):
                checks[i] = _check(fits[i], whitener.at(fits[i].pulses))
    return checks


def _check(fit: DeviceFit, whitener: Whitener) -> ResidualCheck:
    t = fit.pulses.astype(np.float64)
    names, raw = _columns(fit, t)
    knee = fit.numbers.get(fit.drift.knee, t[-1]) if fit.fitted_as == fit.drift.name else t[-1]
    both = whitener.columns(np.column_stack([raw, _contrasts(t, float(np.clip(knee, t[3], t[-1])))]))
    jacobian, wanted = both[:, : raw.shape[1]], both[:, raw.shape[1] :]
    residuals = whitener.columns(fit.residuals) / fit.alpha_used
    inflation = _sandwich(jacobian, residuals)
    return ResidualCheck(dict(zip(names, inflation.tolist(), strict=True)), _scores(jacobian, wanted, residuals))


def _columns(fit: DeviceFit, t: Array) -> tuple[list[str], Array]:
    """Names of lmfit's parameters and the model's derivatives by them, before whitening."""
    shape, values = SHAPES[fit.fitted_as], {**fit.numbers, **fit.result.params.valuesdict()}
    names = [name for name in shape.parameters if name not in shape.shared]
    at = [values[name] for name in shape.parameters]
    drift = np.column_stack([shape.derivative(name, t, *at) for name in names])
    if fit.rtn.status == "ok":
        return [*names, "rtn_amplitude"], np.column_stack([drift, fit.rtn.high(fit.pulses)])
    steps = [(fit.pulses >= step).astype(np.float64) for step in fit.rtn.steps]
    return names + [f"rtn_step_{i + 1}" for i in range(len(steps))], np.column_stack([drift, *steps])


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
    score = left.T @ (residuals - q @ (q.T @ residuals)) / np.where(told, length, 1.0)
    return np.where(told, score, np.nan)
