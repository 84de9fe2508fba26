"""A lot of simulated devices: the truth behind every lab file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Key = tuple[str, int, int]
"""Device, cycle, pulse."""
Readings = dict[Key, float]


@dataclass(frozen=True)
class Lot:
    """`ohm` has the shape (devices, cycles, pulses); every number has six digits, as a file would hold it."""

    names: list[str]
    pulses: NDArray[np.int64]
    ohm: NDArray[np.float64]

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """Device, cycle, and position of every read, in the order of a long table."""
        return ((i, c, k) for i in range(len(self.names)) for c in range(self.ohm.shape[1]) for k in range(self.k))

    @property
    def n(self) -> int:
        return len(self.names)

    @property
    def k(self) -> int:
        return len(self.pulses)

    def readings(self, rename: Callable[[str], str] = lambda name: name) -> Readings:
        """(device, cycle, pulse) -> ohm."""
        return {
            (rename(self.names[i]), c, int(self.pulses[k])): float(self.ohm[i, c, k]) for i, c, k in self.rows()
        }


def six_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded as `%.6g` does."""
    return np.array([float(f"{value:.6g}") for value in values.ravel()]).reshape(values.shape)


def make_lot(
    rng: np.random.Generator,
    n: int | None = None,
    k: int | None = None,
    cycles: int = 1,
    level_ohm: float | None = None,
    spread: float = 0.1,
    pulses: NDArray[np.int64] | None = None,
    prefix: str = "D",
) -> Lot:
    """Devices whose resistance climbs with a knee and a little noise, around a level of 2 to 300 kohm."""
    n = int(rng.integers(3, 7)) if n is None else n
    numbers = np.arange(int(rng.integers(45, 70)) if k is None else k) if pulses is None else pulses
    level = float(np.exp(rng.uniform(np.log(2e3), np.log(3e5)))) if level_ohm is None else level_ohm
    r0 = level * np.exp(rng.normal(0, spread, (n, 1, 1)) + rng.normal(0, 0.02, (n, cycles, 1)))
    steps = np.arange(len(numbers))
    climb = 3e-3 * np.minimum(steps, len(steps) // 2) + 1e-3 * steps
    noise = 0.004 * rng.standard_normal((n, cycles, len(steps)))
    return Lot([f"{prefix}{i:02d}" for i in range(n)], np.asarray(numbers), six_digits(r0 * np.exp(climb + noise)))
