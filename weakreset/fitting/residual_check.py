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
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.model_columns import model_columns
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import SHAPES

__all__ = ["CONTRASTS", "ResidualCheck", "check_residuals"]

Array = NDArray[np.float64]

_BLOCKS = 16  # long enough to hold the memory of a block, and enough of them to know a spread
_LEAST_READS_A_BLOCK = 6  # shorter blocks would call what neighbours share independent
_QUARTERS = 4  # a size that drifts along the trace, each known to a tenth at 800 reads
_MOST_SHARE = 0.95  # of a number that one block decides; beyond it nothing is left in the block to raise
_LEAST_DEVICES = 20
_KEPT = 0.97
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
    blocks : dict of str to float
        What blocks alone say of the inflation.
    """

    inflation: dict[str, float]
    scores: Array
    blocks: dict[str, float] = field(default_factory=dict)


def check_residuals(
    fits: Sequence[DeviceFit], growth_stderr: float = 0.0, hidden: float = 0.0
) -> list[ResidualCheck | None]:
    """A look at each fit; None for those without a result.

    Parameters
    ----------
    fits : sequence of DeviceFit
    growth_stderr : float
        Standard error of the growth of telegraph steps with ln R (`RtnFit.growth`).
    hidden : float
        Standard deviation of the telegraph level, unknown because it never changed, of devices without steps: where
        steps grow, such a level bends the drift.
    """
    known = [i for i, fit in enumerate(fits) if fit.result is not None and fit.white_residuals is not None]
    checks: list[ResidualCheck | None] = [None] * len(fits)
    by_colour: dict[NoiseColour, list[int]] = {}
    for i in known:
        by_colour.setdefault(fits[i].colour, []).append(i)
    for colour, same in by_colour.items():
        for common, members in common_grids([fits[i].pulses for i in same]):
            whitener = Whitener(common, colour)
            for i in (same[member] for member in members):
                checks[i] = _check(fits[i], whitener.at(fits[i].pulses), growth_stderr, hidden)
    return _no_better_than_all(checks)


def _no_better_than_all(checks: list[ResidualCheck | None]) -> list[ResidualCheck | None]:
    """The looks, each with errors at least as much larger than the model's as those of most devices are.

    One device's blocks know the size of its slow noise to a third; all devices together show whether the technology has
    more of it than 1/f noise says. The mean of the squares leaves out the devices that stand off.
    """
    seen = [check.blocks for check in checks if check is not None]
    floors = {}
    for name in {name for blocks in seen for name in blocks}:
        squares = np.sort([blocks[name] ** 2 for blocks in seen if name in blocks])
        if len(squares) >= _LEAST_DEVICES:
            floors[name] = float(np.sqrt(squares[: int(np.ceil(_KEPT * len(squares)))].mean()))
    return [
        None if check is None else replace(check, inflation={
            name: max(value, floors.get(name, value)) for name, value in check.inflation.items()
        })
        for check in checks
    ]


def _check(fit: DeviceFit, whitener: Whitener, growth_stderr: float, hidden: float) -> ResidualCheck:
    t = fit.pulses.astype(np.float64)
    names, raw = model_columns(fit)
    knee = fit.numbers.get(fit.drift.knee, t[-1]) if fit.fitted_as == fit.drift.name else t[-1]
    moved = _moved_by_growth(fit, growth_stderr, hidden)
    grown = _with_growth(fit, raw) if fit.rtn.growth and fit.rtn.steps else raw[:, :0]
    parts = [raw, _contrasts(t, float(np.clip(knee, t[3], t[-1]))), moved[:, None], grown]
    white = whitener.columns(np.column_stack(parts))
    jacobian, wanted, moved, exact = np.split(white, np.cumsum([part.shape[1] for part in parts[:-1]]), axis=1)
    exact, moved = exact if grown.size else jacobian, moved / fit.alpha_used
    residuals = whitener.columns(fit.residuals) / fit.alpha_used
    blocks = _sandwich(jacobian, residuals, names.index(fit.drift.knee) if fit.drift.knee in names else None)
    inflation = np.maximum(blocks, _of_slow_size(jacobian, residuals))
    if moved.any():
        inflation = np.hypot(np.maximum(inflation, 1.0), _growth_errors(jacobian, exact, moved))
    return ResidualCheck(
        dict(zip(names, inflation.tolist(), strict=True)), _scores(jacobian, wanted, residuals),
        dict(zip(names, blocks.tolist(), strict=True)),
    )


def _moved_by_growth(fit: DeviceFit, growth_stderr: float, hidden: float) -> Array:
    """What one standard error of the growth of steps moves the trace by; without steps, of a level never seen."""
    drift = fit.drift_at(fit.pulses)
    if not fit.rtn.steps:
        return np.asarray(float(np.hypot(fit.rtn.growth, growth_stderr)) * hidden * drift)
    offset = fit.rtn.offset(fit.pulses)
    return np.asarray(growth_stderr * (offset - min(float(offset.min()), 0.0)) * drift)


def _with_growth(fit: DeviceFit, raw: Array) -> Array:
    """The model's derivatives where steps grow."""
    shape, growth, drift = SHAPES[fit.fitted_as], fit.rtn.growth, fit.drift_at(fit.pulses)
    n_drift = len(shape.parameters) - len(shape.shared)
    offset = fit.rtn.offset(fit.pulses)
    level = offset - min(float(offset.min()), 0.0)
    size = np.maximum(1.0 + growth * drift, 0.0)
    return np.column_stack([raw[:, :n_drift] * (1.0 + growth * level)[:, None], raw[:, n_drift:] * size[:, None]])


def _growth_errors(jacobian: Array, exact: Array, moved: Array) -> Array:
    """Errors that steps which grow add to those of steps of constant size, in units of the latter, by column.

    The trace is fitted less what its steps have grown by, so J'e = 0 holds with the columns J of constant steps while
    the trace moves with the exact ones, E: the errors are those of (J'E)^-1 J'e.
    """
    scale = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
    unit, exact = jacobian / scale, exact / scale
    gram = unit.T @ unit
    turn = np.linalg.pinv(unit.T @ exact)
    by_trace = turn @ unit.T @ moved
    assumed = np.diag(np.linalg.pinv(gram))
    variance = np.diag(turn @ gram @ turn.T) + np.einsum("ij,ij->i", by_trace, by_trace)
    return np.asarray(np.sqrt(np.maximum(variance / assumed - 1.0, 0.0)))


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


def _sandwich(jacobian: Array, residuals: Array, searched: int | None = None) -> Array:
    """Standard errors by blocks over those of white residuals of unit variance, by column.

    A number that few blocks decide (the offset: the first one) is fitted to their noise and leaves them too quiet. So
    the sums of block b, in orthonormal columns Q, are raised to (1 - Q_b'Q_b)^(-1/2) times what they are, which is
    right on average where the model holds (Bell and McCaffrey 2002). Not for a column that was `searched` for, the
    knee: its place was chosen among many by the residuals around it, which are no longer those of a fixed column.
    """
    n, p = jacobian.shape
    q, r = np.linalg.qr(jacobian)
    n_blocks = min(_BLOCKS + p, n // _LEAST_READS_A_BLOCK)
    edges = np.linspace(0, n, n_blocks + 1).astype(int)[:-1]
    sums = np.add.reduceat(q * residuals[:, None], edges, axis=0)
    share, turn = np.linalg.eigh(np.add.reduceat(q[:, :, None] * q[:, None, :], edges, axis=0))
    raised = np.einsum("bji,bj->bi", turn, sums) / np.sqrt(1.0 - np.minimum(share, _MOST_SHARE))
    root = np.linalg.pinv(r)
    ratio = _mean_squares(np.einsum("bij,bj->bi", turn, raised), root)
    if searched is not None:  # the fit makes p sums over all blocks zero
        ratio[searched] = _mean_squares(sums, root)[searched] * n_blocks / max(n_blocks - p, 1)
    return np.asarray(np.sqrt(ratio))


def _mean_squares(sums: Array, root: Array) -> Array:
    """Variance of each number from sums of blocks, over that from unit variance."""
    by_block = sums @ root.T
    return np.asarray(np.einsum("bi,bi->i", by_block, by_block) / np.maximum(np.einsum("ij,ij->i", root, root), 1e-300))


def _of_slow_size(jacobian: Array, residuals: Array) -> Array:
    """The same where the residuals are white and their size changes slowly.

    Few blocks lie where one number is decided, so the sum of their squares is itself uncertain by a third or more; the
    size of all residuals is known far better.
    """
    n, p = jacobian.shape
    q, r = np.linalg.qr(jacobian)
    meat = q.T @ (q * _slow_variance(residuals, n / (n - p))[:, None])
    root = np.linalg.pinv(r)
    ratio = np.diag(root @ meat @ root.T) / np.maximum(np.einsum("ij,ij->i", root, root), 1e-300)
    return np.asarray(np.sqrt(ratio))


def _slow_variance(residuals: Array, freedom: float) -> Array:
    """Variance of the residuals along the trace: means of a quarter each, straight lines between their middles."""
    n = len(residuals)
    edges = np.linspace(0, n, min(_QUARTERS, max(n // _LEAST_READS_A_BLOCK, 1)) + 1).astype(int)
    means = np.add.reduceat(residuals**2, edges[:-1]) / np.diff(edges) * freedom
    return np.asarray(np.interp(np.arange(n), 0.5 * (edges[1:] + edges[:-1] - 1), means))


def _scores(jacobian: Array, wanted: Array, residuals: Array) -> Array:
    """What is left of each contrast beside the fit's own columns, times the residuals, over its length."""
    q, _ = np.linalg.qr(jacobian)
    left = wanted - q @ (q.T @ wanted)
    length = np.sqrt(np.einsum("ij,ij->j", left, left))
    whole = np.sqrt(np.einsum("ij,ij->j", wanted, wanted))
    told = length > _LEAST_LEFT * whole
    score = left.T @ (residuals - q @ (q.T @ residuals)) / np.where(told, length, 1.0)
    return np.where(told, score, np.nan)
