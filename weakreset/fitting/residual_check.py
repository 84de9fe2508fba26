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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.model_columns import model_columns
from weakreset.fitting.residual_colour import colour_inflation, slow_power
from weakreset.fitting.result import DeviceFit, ResidualCheck
from weakreset.fitting.whitening import Whitener
from weakreset.model import SHAPES

__all__ = ["CONTRASTS", "SetErrors", "check_residuals", "least_inflation"]

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
class SetErrors:
    """What the devices of a set say of the errors of each, from its survey.

    Attributes
    ----------
    growth_stderr : float
        Standard error of the growth of telegraph steps with ln R (`RtnFit.growth`).
    hidden : float
        Standard deviation of the telegraph level, unknown because it never changed, of devices without steps: where
        steps grow, such a level bends the drift.
    least : mapping of str to float
        From `least_inflation`.
    slow : tuple of float
        From `power_of_set`.
    """

    growth_stderr: float = 0.0
    hidden: float = 0.0
    least: Mapping[str, float] = field(default_factory=dict)
    slow: tuple[float, ...] = ()


def check_residuals(
    whitener: Whitener, fits: Sequence[DeviceFit], jacobians: Sequence[Array], others: SetErrors
) -> list[ResidualCheck]:
    """A look at each fit of traces read at the pulses of this whitener.

    Parameters
    ----------
    whitener : Whitener
    fits : sequence of DeviceFit
    jacobians : sequence of ndarray
        Whitened derivatives of each model by lmfit's parameters, in units of -alpha.
    others : SetErrors
    """
    t = whitener.pulses.astype(np.float64)
    raw = [_raw_columns(fit, t, others) for fit in fits]
    white = _whitened(whitener, raw)
    return [
        _check(fit, jacobian, columns, others) for fit, jacobian, columns in zip(fits, jacobians, white, strict=True)
    ]


def least_inflation(checks: Sequence[ResidualCheck]) -> dict[str, float]:
    """How much larger than the model's the errors of most devices are, by parameter: no device's are taken for smaller.

    One device's blocks know the size of its slow noise to a third; all devices together show whether the technology has
    more of it than 1/f noise says. The mean of the squares leaves out the devices that stand off.
    """
    floors = {}
    for name in sorted({name for check in checks for name in check.blocks}):
        squares = np.sort([check.blocks[name] ** 2 for check in checks if name in check.blocks])
        if len(squares) >= _LEAST_DEVICES:
            floors[name] = float(np.sqrt(squares[: int(np.ceil(_KEPT * len(squares)))].mean()))
    return floors


def _raw_columns(fit: DeviceFit, t: Array, others: SetErrors) -> Array:
    """Contrasts, what the growth of steps may move the trace by, and the model's derivatives where steps grow."""
    moved = _moved_by_growth(fit, others.growth_stderr, others.hidden)
    grown = _with_growth(fit, model_columns(fit)[1]) if fit.rtn.growth and fit.rtn.steps else np.empty((len(t), 0))
    return np.column_stack([_contrasts(t, _place(fit, t)), moved, grown])


def _check(fit: DeviceFit, jacobian: Array, white: Array, others: SetErrors) -> ResidualCheck:
    wanted, moved, exact = np.split(white, [len(CONTRASTS), len(CONTRASTS) + 1], axis=1)
    residuals, names = np.asarray(fit.result.residual), list(fit.result.params)
    frame = _Frame.of(jacobian)
    blocks = _sandwich(frame, residuals, names.index(fit.drift.knee) if fit.drift.knee in names else None)
    slow = slow_power(frame.q, residuals)
    colour = colour_inflation(frame.q, frame.root, slow, others.slow)
    inflation = np.maximum(np.maximum(blocks, colour), _of_slow_size(frame, residuals))
    if moved.any():
        if exact.size:
            added = _growth_errors(jacobian, exact / -fit.alpha_used, moved / fit.alpha_used)
        else:
            added = _level_errors(frame, moved[:, 0] / fit.alpha_used)
        inflation = np.hypot(np.maximum(inflation, 1.0), added)
    by_name = dict(zip(names, inflation.tolist(), strict=True))
    by_name = {name: max(value, others.least.get(name, value)) for name, value in by_name.items()}
    by_blocks = dict(zip(names, blocks.tolist(), strict=True))
    return ResidualCheck(by_name, _scores(frame.q, wanted, residuals), blocks=by_blocks, slow=slow)


@dataclass(frozen=True)
class _Frame:
    """A Jacobian QR: orthonormal columns q (n, p), the inverse of R, and the sums of squares of its rows."""

    q: Array
    root: Array
    squares: Array

    @classmethod
    def of(cls, jacobian: Array) -> _Frame:
        q, r = np.linalg.qr(jacobian)
        root = np.linalg.pinv(r)
        return cls(q, root, np.maximum(np.einsum("ij,ij->i", root, root), 1e-300))


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


def _level_errors(frame: _Frame, moved: Array) -> Array:
    """Errors that a level never seen adds, by column, in units of those without: how far it moves each number."""
    return np.asarray(np.abs(frame.root @ (frame.q.T @ moved)) / np.sqrt(frame.squares))


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


def _sandwich(frame: _Frame, residuals: Array, searched: int | None = None) -> Array:
    """Standard errors by blocks over those of white residuals of unit variance, by column.

    A number that few blocks decide (the offset: the first one) is fitted to their noise and leaves them too quiet. So
    the sums of block b, in orthonormal columns Q, are raised to (1 - Q_b'Q_b)^(-1/2) times what they are, which is
    right on average where the model holds (Bell and McCaffrey 2002). Not for a column that was `searched` for, the
    knee: its place was chosen among many by the residuals around it, which are no longer those of a fixed column.
    """
    q, (n, p) = frame.q, frame.q.shape
    n_blocks = min(_BLOCKS + p, n // _LEAST_READS_A_BLOCK)
    edges = np.linspace(0, n, n_blocks + 1).astype(int)[:-1]
    sums = np.add.reduceat(q * residuals[:, None], edges, axis=0)
    share, turn = np.linalg.eigh(np.add.reduceat(q[:, :, None] * q[:, None, :], edges, axis=0))
    raised = np.einsum("bji,bj->bi", turn, sums) / np.sqrt(1.0 - np.minimum(share, _MOST_SHARE))
    ratio = _mean_squares(np.einsum("bij,bj->bi", turn, raised), frame)
    if searched is not None:  # the fit makes p sums over all blocks zero
        ratio[searched] = _mean_squares(sums, frame)[searched] * n_blocks / max(n_blocks - p, 1)
    return np.asarray(np.sqrt(ratio))


def _mean_squares(sums: Array, frame: _Frame) -> Array:
    """Variance of each number from sums of blocks, over that from unit variance."""
    by_block = sums @ frame.root.T
    return np.asarray(np.einsum("bi,bi->i", by_block, by_block) / frame.squares)


def _of_slow_size(frame: _Frame, residuals: Array) -> Array:
    """The same where the residuals are white and their size changes slowly.

    Few blocks lie where one number is decided, so the sum of their squares is itself uncertain by a third or more; the
    size of all residuals is known far better.
    """
    q, root, (n, p) = frame.q, frame.root, frame.q.shape
    meat = q.T @ (q * _slow_variance(residuals, n / (n - p))[:, None])
    ratio = np.diag(root @ meat @ root.T) / frame.squares
    return np.asarray(np.sqrt(ratio))


def _slow_variance(residuals: Array, freedom: float) -> Array:
    """Variance of the residuals along the trace: means of a quarter each, straight lines between their middles."""
    n = len(residuals)
    edges = np.linspace(0, n, min(_QUARTERS, max(n // _LEAST_READS_A_BLOCK, 1)) + 1).astype(int)
    means = np.add.reduceat(residuals**2, edges[:-1]) / np.diff(edges) * freedom
    return np.asarray(np.interp(np.arange(n), 0.5 * (edges[1:] + edges[:-1] - 1), means))


def _scores(q: Array, wanted: Array, residuals: Array) -> Array:
    """What is left of each contrast beside the fit's own columns, times the residuals, over its length."""
    left = wanted - q @ (q.T @ wanted)
    length = np.sqrt(np.einsum("ij,ij->j", left, left))
    whole = np.sqrt(np.einsum("ij,ij->j", wanted, wanted))
    told = length > _LEAST_LEFT * whole
    score = left.T @ residuals / np.where(told, length, 1.0)
    return np.where(told, score, np.nan)
