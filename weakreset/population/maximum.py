"""Laws of greatest likelihood, and how sure they are, whatever the likelihood is summed over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.model import TruncatedLaw
from weakreset.population.families import FreeLaw
from weakreset.population.slopes import laws_at

__all__ = ["Likelihood", "Objective"]

Array = NDArray[np.float64]
Objective = Callable[[Array, Array], tuple[float, Array]]
"""(coordinates of all laws, their scales) -> -ln L and its gradient by the scaled coordinates."""

_SCALED_BOX = 60.0  # in units of each number's scale: never an answer, but an end of the search


class Likelihood(ABC):
    """Of laws given devices: one block of them in memory (`Hierarchy`), or block after block (`InBlocks`)."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """The blocks of devices (`Hierarchy`), always in the same order."""

    @abstractmethod
    def mapped(self, change: Callable[[Any], Any]) -> Likelihood:
        """The likelihood of the same devices as `change` has each block."""

    @abstractmethod
    def objective(
        self, moving: Sequence[str], free: Mapping[str, FreeLaw], start: Mapping[str, TruncatedLaw]
    ) -> Objective:
        """-ln L by the laws of `moving`, in that order; the others are as in `start`."""

    def maximize(
        self, free: Mapping[str, FreeLaw], start: Mapping[str, TruncatedLaw], only: Sequence[str] | None = None
    ) -> tuple[dict[str, TruncatedLaw], float]:
        """Laws of greatest likelihood; those not in `only` stay as they are in `start`."""
        moving = list(only or free)
        x0 = np.concatenate([free[name].coordinates(start[name].params) for name in moving])
        # in steps of typical size, or a slope of 1e-4 per pulse and a knee of 500 pulses would share one step
        scale = np.concatenate([free[name].scales(start[name]) for name in moving])
        at = self.objective(moving, free, start)
        found = optimize.minimize(
            lambda u: at(x0 + scale * u, scale), np.zeros(len(x0)), jac=True, method="L-BFGS-B",
            bounds=[(-_SCALED_BOX, _SCALED_BOX)] * len(x0), options={"maxiter": 80, "ftol": 1e-9, "gtol": 1e-3},
        )
        laws = dict(start) | laws_at(x0 + scale * found.x, moving, free)
        return laws, -float(found.fun)

    def covariance(self, free: Mapping[str, FreeLaw], laws: Mapping[str, TruncatedLaw]) -> dict[str, Array]:
        """Covariance of each law's coordinates, the others' uncertainty included; NaN where not identifiable."""
        moving = list(free)
        x0 = np.concatenate([free[name].coordinates(laws[name].params) for name in moving])
        scale = np.concatenate([free[name].scales(laws[name]) for name in moving])
        n, h = len(x0), 0.03
        at = self.objective(moving, free, laws)
        here = at(x0, scale)[1]
        hessian = np.empty((n, n))
        for i in range(n):
            moved = x0.copy()
            moved[i] += h * scale[i]
            hessian[i] = (at(moved, scale)[1] - here) / h
        hessian = 0.5 * (hessian + hessian.T)  # rows are differences of gradients, each with an error of its own
        try:
            whole = np.asarray(np.linalg.inv(hessian) * np.outer(scale, scale), dtype=np.float64)
        except np.linalg.LinAlgError:
            whole = np.full((n, n), np.nan)
        blocks, begin = {}, 0
        for name in moving:
            size = len(free[name].free)
            blocks[name] = whole[begin : begin + size, begin : begin + size]
            begin += size
        return blocks
