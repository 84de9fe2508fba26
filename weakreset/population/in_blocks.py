"""The likelihood of more devices than memory holds: sums over blocks of devices, one block in memory at a time.

    ln L = sum_b ln L_b,   and so its slopes and the matrix of its second derivatives

Blocks are cut from one order of all devices and added up in it, so the bits depend on the devices alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.fit_rows import likelihood_at
from weakreset.fitting.result import DeviceFit
from weakreset.model import TruncatedLaw
from weakreset.population.families import FreeLaw
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.maximum import Likelihood, Objective
from weakreset.population.stuck import StuckHigh

__all__ = ["BLOCK", "InBlocks", "Told"]

Array = NDArray[np.float64]

BLOCK = 512
"""Devices in memory at once, 10 MB of draws; larger blocks are no faster."""


@dataclass(frozen=True)
class Told:
    """What devices tell of the laws: their likelihoods, read when asked for, and what is known of each besides.

    Attributes
    ----------
    fits : sequence of DeviceFit
    quiet : ndarray of bool, shape (n_devices,)
        No telegraph steps: such a device may have sat in the high state throughout.
    stuck : StuckHigh
    known : mapping of str to ndarray, shape (n_devices,)
        As in `DeviceDraws`.
    """

    fits: Sequence[DeviceFit]
    quiet: NDArray[np.bool_]
    stuck: StuckHigh
    known: Mapping[str, Array]

    def hierarchy(self, begin: int = 0, end: int | None = None) -> Hierarchy:
        """Of these devices, all unless given."""
        rows = range(len(self.fits))[begin:end]
        draws = [found for i in rows if (found := likelihood_at(self.fits, i)) is not None]
        known = {name: scores[begin:end] for name, scores in self.known.items()}
        return Hierarchy(draws, self.stuck, self.quiet[begin:end], known)

    def blocks(self) -> Iterator[Hierarchy]:
        """All devices, in their order."""
        return (self.hierarchy(begin, begin + BLOCK) for begin in range(0, len(self.fits), BLOCK))


class InBlocks(Likelihood):
    """A sum over blocks.

    Parameters
    ----------
    blocks : callable
        The blocks from the first one on, each time that it is called.
    """

    def __init__(self, blocks: Callable[[], Iterator[Hierarchy]]) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[Hierarchy]:
        return self._blocks()

    def mapped(self, change: Callable[[Hierarchy], Hierarchy]) -> InBlocks:
        return InBlocks(lambda: map(change, self))

    def objective(
        self, moving: Sequence[str], free: Mapping[str, FreeLaw], start: Mapping[str, TruncatedLaw]
    ) -> Objective:
        def summed(x: Array, scale: Array) -> tuple[float, Array]:
            total, gradient = 0.0, np.zeros(len(x))
            for block in self:
                value, slope = block.objective(moving, free, start)(x, scale)
                total += value
                gradient += slope
            return total, gradient

        return summed
