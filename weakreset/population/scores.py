"""Normal scores of every device's draws: what the copula is estimated from.

Under the fitted laws a number x has the score z = ndtri(F(x)). A device that knows its numbers has one
vector of scores; one that does not has a cloud of them, weighted by its posterior under independence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.model import TruncatedLaw
from weakreset.population.hierarchy import Hierarchy

__all__ = ["DeviceScores", "normal_scores", "own_numbers", "score_devices", "tail_scores"]

Array = NDArray[np.float64]

_EDGE = 1e-12  # keeps normal scores within +-7
_GOLDEN = (5**0.5 - 1) / 2  # its multiples fill the unit interval most evenly, with no generator to seed


@dataclass(frozen=True)
class DeviceScores:
    """Scores of draws and their weights; a device's weights sum to 1 over both cases.

    Attributes
    ----------
    names : tuple of str
    inside : ndarray, shape (n_devices, k, len(names))
    inside_weight : ndarray, shape (n_devices, k)
    beyond : ndarray, shape (n_devices, j, len(beyond_columns))
        The case that the knee lies beyond the trace; numbers that say nothing there are left out.
    beyond_weight : ndarray, shape (n_devices, j)
    beyond_columns : tuple of int
        Which of `names` the columns of `beyond` are.
    """

    names: tuple[str, ...]
    inside: Array
    inside_weight: Array
    beyond: Array
    beyond_weight: Array
    beyond_columns: tuple[int, ...]

    @property
    def n_devices(self) -> int:
        return len(self.inside)


def normal_scores(law: TruncatedLaw, values: Array) -> Array:
    """ndtri of the law's probability, kept finite."""
    return np.asarray(special.ndtri(np.clip(law.cdf(values), _EDGE, 1.0 - _EDGE)))


def score_devices(hierarchy: Hierarchy, laws: Mapping[str, TruncatedLaw]) -> DeviceScores:
    """Scores of all devices under `laws`.

    Parameters
    ----------
    hierarchy : Hierarchy
    laws : mapping of str to TruncatedLaw
        Of the drift numbers.

    Notes
    -----
    Beyond the trace the knee is drawn from the tail of its law, evenly by a golden-ratio sequence, and a number
    that has no effect there (m2) is integrated out, which for a Gaussian copula means left out.
    Devices whose likelihood no law explains (weights of zero) are left out.
    """
    exact = hierarchy.known
    drift = {name: laws[name] for name in hierarchy.names}
    inside_weight, beyond_weight = hierarchy.posterior(drift)
    total = inside_weight.sum(axis=1) + beyond_weight.sum(axis=1)
    rows = total > 0
    names = (*exact, *hierarchy.names)
    shape = inside_weight.shape
    inside = [np.broadcast_to(value[:, None], shape) for value in exact.values()]
    inside += [normal_scores(laws[name], own_numbers(hierarchy, name, laws[name], False)) for name in hierarchy.names]
    columns: list[int] = []
    beyond: list[Array] = []
    for i, name in enumerate(names):
        if name in exact:
            column = np.broadcast_to(exact[name][:, None], beyond_weight.shape)
        elif name == hierarchy.shape.knee and hierarchy.beyond:
            column = tail_scores(laws[name], hierarchy.last, beyond_weight.shape)
        elif name in hierarchy.beyond:
            column = normal_scores(laws[name], own_numbers(hierarchy, name, laws[name], True))
        else:
            continue
        columns.append(i)
        beyond.append(column)
    return DeviceScores(
        names, np.stack(inside, axis=-1)[rows], (inside_weight / np.where(rows, total, 1.0)[:, None])[rows],
        np.stack(beyond, axis=-1)[rows] if beyond else np.zeros((int(rows.sum()), 1, 0)),
        (beyond_weight / np.where(rows, total, 1.0)[:, None])[rows], tuple(columns),
    )


def tail_scores(law: TruncatedLaw, last: Array, shape: tuple[int, ...]) -> Array:
    """Scores of the law beyond `last` of each device, evenly spread."""
    below = law.cdf(last)[:, None]
    even = np.mod(_GOLDEN * np.arange(1, shape[1] + 1), 1.0)
    return np.asarray(special.ndtri(np.clip(below + (1.0 - below) * even, _EDGE, 1.0 - _EDGE)))


def own_numbers(hierarchy: Hierarchy, name: str, law: TruncatedLaw, beyond: bool) -> Array:
    """The draws; of the offset without the telegraph amplitude that a device in the high state throughout holds."""
    values = hierarchy.beyond[name] if beyond else hierarchy.inside[name]
    rows = hierarchy.may_be_stuck
    if name != hierarchy.shape.offset or not rows.any():
        return values
    stuck = hierarchy.stuck
    shifts = np.array([0.0, *stuck.amplitudes])
    share = np.array([1.0 - stuck.probability, *[stuck.probability / len(stuck.amplitudes)] * len(stuck.amplitudes)])
    density = share[:, None, None] * np.exp([law.logpdf(values[rows] - a) for a in shifts])
    cumulative = np.cumsum(density, axis=0)
    even = np.mod(_GOLDEN * np.arange(1, values.shape[1] + 1), 1.0)
    chosen = np.sum(cumulative < even * cumulative[-1], axis=0).clip(0, len(shifts) - 1)
    corrected = values.copy()
    corrected[rows] -= shifts[chosen]
    return corrected
