"""Goodness of fit of the laws, against replicas whose laws are fitted again.

A table of Kolmogorov or Anderson-Darling would be wrong, because the law's numbers come from the same devices.
The statistics are therefore compared with those of samples drawn from the fitted law and fitted in the same way.

Where a device does not know its number exactly, its likelihood is first summed up as a normal one (mean and
standard deviation of its draws, weighted by the laws of its other numbers), and the statistic is the
distance between the law and the devices' posterior means. A replica gives each device a true value from the law, the
same standard deviation, an error drawn from it, and a law fitted again: shrinkage is the same in both. That
needs the uncertainty not to depend on the value. It holds for the offset, and for numbers that a trace shows whatever
its knee is (m1 of two slopes). It does not hold for a number that is scanned, nor for one of which a device says
something or nothing depending on it (t_star and m2): those are not tested.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.model import DriftShape, TruncatedLaw
from weakreset.population.families import FreeLaw, fit_values
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.result import GoodnessOfFit

__all__ = ["EXACT", "SUBSTITUTE", "distances", "goodness_of_law", "goodness_of_values", "is_testable"]

Array = NDArray[np.float64]

STATISTICS = ("kolmogorov-smirnov", "anderson-darling")
EXACT = "parametric bootstrap, law fitted again in each replica"
SUBSTITUTE = (
    "distance of the devices' posterior means from the law, against replicas of devices with the same uncertainty "
    "(normal) and a law fitted again"
)
_NODES = 60  # even quantiles of the normal error of a value
_TINY = 1e-12  # a logarithm of zero would make one far device the whole statistic


def is_testable(shape: DriftShape, name: str) -> bool:
    """Whether a device's uncertainty about this number is the same whatever the number is."""
    scan = shape.scan
    return name == shape.offset or (scan is not None and (not scan.number or name in scan.beyond))


def distances(law: TruncatedLaw, values: Array) -> Array:
    """Kolmogorov-Smirnov and Anderson-Darling distance of `values` from `law`; shape (2,)."""
    u = np.sort(np.clip(law.cdf(values), _TINY, 1.0 - _TINY))
    n = len(u)
    i = np.arange(1, n + 1)
    ks = max(float(np.max(i / n - u)), float(np.max(u - (i - 1) / n)))
    ad = -n - float(np.sum((2 * i - 1) * (np.log(u) + np.log1p(-u[::-1])))) / n
    return np.array([ks, ad])


def goodness_of_values(
    values: Array, law: TruncatedLaw, replicates: int, rng: np.random.Generator
) -> tuple[GoodnessOfFit, ...]:
    """Test of a law that was fitted to exactly known values."""
    observed = distances(law, values)
    replicas = []
    for _ in range(replicates):
        sample = law.sample(rng, len(values))
        replicas.append(distances(fit_values(sample, (law.family,), law.lower, law.upper).law, sample))
    return _verdict(observed, np.array(replicas), EXACT)


def goodness_of_law(
    hierarchy: Hierarchy, name: str, free: FreeLaw, laws: Mapping[str, TruncatedLaw], replicates: int,
    rng: np.random.Generator,
) -> tuple[GoodnessOfFit, ...]:
    """The substitute for a law that was fitted to likelihoods; see the head of this file."""
    law = laws[name]
    centre, sd = _summaries(hierarchy, name, laws)
    observed, fitted = _distances_of_means(hierarchy, name, free, law, centre, sd)
    stuck, quiet = hierarchy.stuck, hierarchy.may_be_stuck
    replicas = []
    for _ in range(replicates):
        value = fitted.sample(rng, len(centre)) + sd * rng.standard_normal(len(centre))
        if name == hierarchy.shape.offset and quiet.any():
            high = quiet & (rng.random(len(centre)) < stuck.probability)
            value = value + high * rng.choice(stuck.amplitudes, len(centre))
        replicas.append(_distances_of_means(hierarchy, name, free, fitted, value, sd)[0])
    return _verdict(observed, np.array(replicas), SUBSTITUTE)


def _summaries(hierarchy: Hierarchy, name: str, laws: Mapping[str, TruncatedLaw]) -> tuple[Array, Array]:
    """Mean and standard deviation of each device's draws, weighted by the laws of its other numbers."""
    others = {key: law for key, law in laws.items() if key != name}
    inside, beyond = hierarchy.posterior(others)
    weight, values = inside, hierarchy.inside[name]
    if name in hierarchy.beyond:
        weight, values = np.hstack([inside, beyond]), np.hstack([values, hierarchy.beyond[name]])
    total = weight.sum(axis=1, keepdims=True)
    rows = total[:, 0] > 0
    weight = np.where(rows[:, None], weight / np.where(total > 0, total, 1.0), 1.0 / weight.shape[1])
    centre = np.sum(weight * values, axis=1)
    variance = np.sum(weight * (values - centre[:, None]) ** 2, axis=1)
    return centre, np.sqrt(np.maximum(variance, 0.0))


def _distances_of_means(
    hierarchy: Hierarchy, name: str, free: FreeLaw, start: TruncatedLaw, centre: Array, sd: Array
) -> tuple[Array, TruncatedLaw]:
    """Fit the law to normal likelihoods; distances of the posterior means from it."""
    even = special.ndtri((np.arange(_NODES) + 0.5) / _NODES)
    even = even / even.std()
    columns = [(c + s * even)[:, None] for c, s in zip(centre, sd, strict=True)]
    draws = [LikelihoodDraws(hierarchy.shape, (name,), column, 0.0) for column in columns]
    alone = Hierarchy(draws, hierarchy.stuck, hierarchy.may_be_stuck)
    fitted = alone.maximize({name: free}, {name: start})[0][name]
    weight, _ = alone.posterior({name: fitted})
    total = weight.sum(axis=1)
    means = np.sum(weight * alone.inside[name], axis=1) / np.where(total > 0, total, 1.0)
    return distances(fitted, np.where(total > 0, means, centre)), fitted


def _verdict(observed: Array, replicas: Array, method: str) -> tuple[GoodnessOfFit, ...]:
    n = len(replicas)
    p_values = (1.0 + np.sum(replicas >= observed, axis=0)) / (n + 1.0)
    return tuple(
        GoodnessOfFit(name, float(value), float(p), n, method)
        for name, value, p in zip(STATISTICS, observed, p_values, strict=True)
    )
