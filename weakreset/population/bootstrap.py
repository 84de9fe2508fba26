"""Intervals of the laws' numbers: the whole estimate repeated on devices drawn with replacement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from weakreset.model import TruncatedLaw
from weakreset.population.choose_families import Laws
from weakreset.population.families import fit_values
from weakreset.population.hierarchy import Hierarchy
from weakreset.progress import Progress

__all__ = ["bootstrap_laws", "bootstrap_values", "percentile_intervals"]

Array = NDArray[np.float64]
Intervals = dict[str, tuple[float, float]]


def bootstrap_laws(
    hierarchy: Hierarchy, state: Laws, laws: Mapping[str, TruncatedLaw], replicates: int,
    rng: np.random.Generator, progress: Progress,
) -> dict[str, Intervals]:
    """95 % percentile intervals of the free numbers of each law.

    Families, noise and telegraph law stay as they are, and so does the copula where `hierarchy` has one.
    """
    n = len(hierarchy.log_z)
    samples: list[Mapping[str, TruncatedLaw]] = []
    for done in range(replicates):
        part = hierarchy.resampled(rng.integers(0, n, n))
        samples.append(part.maximize(state.free, laws)[0])
        progress(done + 1, replicates, "bootstrap")
    return {name: percentile_intervals([sample[name] for sample in samples], free.free) for name, free in
            state.free.items()}


def bootstrap_values(
    values: Array, law: TruncatedLaw, replicates: int, rng: np.random.Generator
) -> Intervals:
    """The same for a law of exactly known values."""
    samples = []
    for _ in range(replicates):
        chosen = values[rng.integers(0, len(values), len(values))]
        samples.append(fit_values(chosen, (law.family,), law.lower, law.upper).law)
    return percentile_intervals(samples, tuple(law.params))


def percentile_intervals(samples: Sequence[TruncatedLaw], names: Sequence[str]) -> Intervals:
    """2.5 and 97.5 % of each number."""
    found = {}
    for name in names:
        low, high = np.percentile([sample.params[name] for sample in samples], [2.5, 97.5])
        found[name] = (float(low), float(high))
    return found
