"""Laws and copula together.

Fitting the laws as if the numbers were independent is biased where they are not: a knee is seen or missed
depending on m1, and a correlation then makes the knees that are seen a selection. So the laws are
fitted again with the copula in the likelihood, and the copula with those laws, until it settles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from weakreset.model import TruncatedLaw
from weakreset.population.choose_families import Laws
from weakreset.population.copula import fit_copula
from weakreset.population.families import FreeLaw
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.maximum import Likelihood
from weakreset.population.result import CorrelationFit, positive
from weakreset.population.scores import DeviceScores, normal_scores, own_numbers, score_devices, tail_scores
from weakreset.population.slopes import FORWARD_STEP, laws_at, nudged_law, weighted_difference

__all__ = ["CorrelatedHierarchy", "fit_together"]

Array = NDArray[np.float64]
Scores = dict[str, tuple[Array, Array | None]]

_ROUNDS = 4  # laws and correlations in turn
_SETTLED = 0.005  # of a correlation: digits that no table prints
_LEAST_MOVING = 0.1  # the selection by a correlation moves a mean by about its square times a standard deviation
_SURE = 0.1  # of the level: a pair that is rejected with a tenth of it counts in full
_UNMOVED = np.zeros((1, 1))


def fit_together(
    devices: Likelihood, start: Laws
) -> tuple[dict[str, TruncatedLaw], Likelihood, CorrelationFit | None]:
    """Laws, the likelihood they maximize, and the copula; independent laws unless a pair is correlated.

    Parameters
    ----------
    devices : Likelihood
        As if their numbers were independent.
    start : Laws
    """
    apart = [name for name in start.laws if name not in start.free]
    laws, _ = devices.maximize(start.free, start.laws)
    correlation = fit_copula(_Scored(devices, laws), apart=apart)
    current = devices
    for _ in range(_ROUNDS):
        matrix = None if correlation is None else _moving(correlation)
        if correlation is None or matrix is None:
            current = devices
            break
        current = devices.mapped(partial(CorrelatedHierarchy, laws=laws, matrix=matrix))
        laws, _ = current.maximize(start.free, laws)
        before, correlation = correlation, fit_copula(_Scored(devices, laws), apart=apart)
        if correlation is None or np.nanmax(np.abs(correlation.matrix - before.matrix)) < _SETTLED:
            break
    return laws, current, correlation


@dataclass(frozen=True)
class _Scored:
    """Scores of each block of devices, made anew each time that somebody goes through them."""

    devices: Likelihood
    laws: Mapping[str, TruncatedLaw]

    def __iter__(self) -> Iterator[DeviceScores]:
        return (score_devices(block, self.laws) for block in self.devices)


def _moving(correlation: CorrelationFit) -> Array | None:
    """The correlations that laws are fitted with; None where no pair would move one.

    A pair counts more and more from the level of its test to a tenth of it, and from the least size that moves a law
    (in large sets each pair shows, however faint) to twice that: counted whole or not at all, a pair at the edge would
    move laws by a third of their error from one set of draws to the next.
    """
    matrix = correlation.significant()
    if matrix is None:
        return None
    share = np.clip(np.abs(matrix) / _LEAST_MOVING - 1.0, 0.0, 1.0)
    for test in correlation.tests:
        i, j = (correlation.names.index(name) for name in test.names)
        evidence = np.log(max(test.adjusted_p_value, 1e-300) / correlation.level) / np.log(_SURE)
        share[i, j] = share[j, i] = share[i, j] * np.clip(evidence, 0.0, 1.0)
    np.fill_diagonal(share, 1.0)
    if share[~np.eye(len(share), dtype=bool)].max() <= 0.0:
        return None
    return positive(matrix * share)


class CorrelatedHierarchy(Hierarchy):
    """`Hierarchy` whose devices' numbers are joined by a Gaussian copula with a given matrix.

    Parameters
    ----------
    base : Hierarchy
    laws : mapping of str to TruncatedLaw
        Used once, to take telegraph amplitudes out of the offset of devices that sat in the high state.
    matrix : ndarray
        Correlations of the scores of `base.known`, then of the drift numbers.
    """

    def __init__(self, base: Hierarchy, laws: Mapping[str, TruncatedLaw], matrix: Array) -> None:
        self.__dict__.update(base.__dict__)
        known = base.known
        self._order = (*known, *base.names)
        self._inverse: Array = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        shown = {*known, *base.beyond, base.shape.knee}
        seen = [i for i, name in enumerate(self._order) if name in shown]
        self._seen = tuple(self._order[i] for i in seen)
        block = matrix[np.ix_(seen, seen)]
        self._inverse_beyond: Array = np.asarray(np.linalg.inv(block), dtype=np.float64)
        self._log_roots = tuple(-0.5 * float(np.linalg.slogdet(m)[1]) for m in (matrix, block))
        size = (base.inside[base.names[0]].shape, base.shape_beyond)
        self._known: Scores = {
            name: (np.broadcast_to(z[:, None], size[0]), np.broadcast_to(z[:, None], size[1]) if size[1] else None)
            for name, z in known.items()
        }
        self._own = {
            name: (
                own_numbers(base, name, laws[name], False),
                own_numbers(base, name, laws[name], True) if name in base.beyond else None,
            )
            for name in base.names
        }

    def resampled(self, indices: NDArray[np.intp]) -> CorrelatedHierarchy:
        """The devices at `indices`, repetitions counted rather than copied."""
        rows = np.unique(indices)
        part = super().resampled(indices)
        if not isinstance(part, CorrelatedHierarchy):  # copy.copy keeps the class
            raise TypeError(type(part).__name__)
        part._known, part._own = ({name: _rows(pair, rows) for name, pair in both.items()} for both in (
            self._known, self._own))
        return part

    def _scores(self, name: str, law: TruncatedLaw) -> tuple[Array, Array | None]:
        inside, beyond = self._own[name]
        if name == self.shape.knee and self.shape_beyond:
            return normal_scores(law, inside), tail_scores(law, self.last, self.shape_beyond)
        return normal_scores(law, inside), None if beyond is None else normal_scores(law, beyond)

    def _log_copula(self, scores: Scores) -> tuple[Array, Array | None]:
        """ln c_R at the draws inside and beyond."""
        inside = _quadratic([scores[name][0] for name in self._order], self._inverse) + self._log_roots[0]
        if not self.beyond:
            return inside, None
        columns = [z for name in self._seen if (z := scores[name][1]) is not None]
        return inside, _quadratic(columns, self._inverse_beyond) + self._log_roots[1]

    def _objective(
        self, x: Array, scale: Array, moving: Sequence[str], free: Mapping[str, FreeLaw],
        start: Mapping[str, TruncatedLaw], still: Mapping[str, tuple[Array, Array | None]],
    ) -> tuple[float, Array]:
        """-ln L and its gradient by the scaled coordinates."""
        try:
            laws = dict(start) | laws_at(x, moving, free)
        except (ValueError, OverflowError):
            return 1e12, np.zeros(len(x))
        densities = dict(still) | {name: self.log_density(name, law) for name, law in laws.items() if name in moving}
        scores = self._known | {name: self._scores(name, law) for name, law in laws.items()}
        densities["copula"] = self._log_copula(scores)
        log_beyond = self.log_beyond(laws.get(self.shape.knee))
        total, *weights = self.combine(densities, log_beyond)
        pulls = self._pulls(scores)
        gradient: list[float] = []
        for name in moving:
            tail = log_beyond if name == self.shape.knee else None
            at = slice(len(gradient), len(gradient) + len(free[name].free))
            own = self._by_law(name, free[name], x[at], scale[at], (*densities[name], tail), weights)
            for i, step in enumerate(scale[at]):
                law = nudged_law(free[name], x[at], i, FORWARD_STEP * step)
                moved = self._copula_moved(name, law, scores, pulls)
                changes = (
                    weighted_difference(weight, change, _UNMOVED)
                    for weight, change in zip(weights, moved, strict=False) if change is not None
                )
                own[i] += sum(changes) / FORWARD_STEP
            gradient += own
        return -total, -np.array(gradient)

    def _copula_moved(
        self, name: str, law: TruncatedLaw, scores: Scores, pulls: Scores
    ) -> tuple[Array | None, Array | None]:
        """What ln c_R changes by at the draws inside and beyond where this is the law of `name`."""
        inside, beyond = (
            None if moved is None or at is None or pull is None
            else -(moved - at) * (pull + 0.5 * (inverse[i := order.index(name), i] - 1.0) * (moved - at))
            for moved, at, pull, inverse, order in zip(
                self._scores(name, law), scores[name], pulls.get(name, (None, None)),
                (self._inverse, self._inverse_beyond), (self._order, self._seen), strict=True,
            )
        )
        return inside, beyond

    def _pulls(self, scores: Scores) -> Scores:
        """(R^-1 - 1) z: how fast ln c_R falls with each score."""
        columns = np.stack([scores[name][0] for name in self._order])
        inside = np.tensordot(self._inverse - np.eye(len(self._order)), columns, axes=1)
        beyond: dict[str, Array] = {}
        if self.beyond:
            seen = np.stack([z for name in self._seen if (z := scores[name][1]) is not None])
            pulled = np.tensordot(self._inverse_beyond - np.eye(len(seen)), seen, axes=1)
            beyond = dict(zip(self._seen, pulled, strict=True))
        return {name: (inside[i], beyond.get(name)) for i, name in enumerate(self._order)}


def _rows(pair: tuple[Array, Array | None], rows: NDArray[np.intp]) -> tuple[Array, Array | None]:
    return pair[0][rows], None if pair[1] is None else pair[1][rows]


def _quadratic(columns: list[Array], inverse: Array) -> Array:
    """-z' (R^-1 - 1) z / 2."""
    matrix = inverse - np.eye(len(inverse))
    z = np.stack(columns)
    return np.asarray(-0.5 * np.einsum("i...,i...->...", np.tensordot(matrix, z, axes=1), z))
