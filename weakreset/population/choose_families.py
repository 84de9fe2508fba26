"""Family of each law by AIC, one parameter after the other."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.fit_rows import those
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.model import DriftNumber, DriftShape, TruncatedLaw
from weakreset.population.families import POSITIVE_FAMILIES, REAL_FAMILIES, FreeLaw, akaike, start_law
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.result import Candidate

__all__ = ["LEAST_DEVICES", "Laws", "choose_families", "hold", "start_laws"]

Array = NDArray[np.float64]

LEAST_DEVICES = 5
_OPEN, _SMALL, _TINY = 1.5, 0.2, 1e-12
_SURE = 5.0
"""Monte-Carlo errors by which a family has to win: whoever wins by less would lose with other draws. Those that win by
chance are laws narrower than the draws lie (of an m2 that no device knows), and their errors are large."""
_TIE = 0.5
"""Of AIC, that a family has to win by at least: a likelihood ratio of 1.3. Families that look alike lie this close."""
_LOCS = (0.005, 0.1)
"""Where a `loc` above zero is looked for, in units of the mean."""


@dataclass(frozen=True)
class Laws:
    """Laws as they stand while families are being chosen."""

    free: dict[str, FreeLaw]
    laws: dict[str, TruncatedLaw]
    candidates: dict[str, tuple[Candidate, ...]]


def _families_for(number: DriftNumber, given: Mapping[str, str]) -> tuple[str, ...]:
    if number.name in given:
        return (given[number.name],)
    return REAL_FAMILIES if number.bounds[0] < 0 else POSITIVE_FAMILIES


def start_laws(
    usable: Sequence[DeviceFit], shape: DriftShape, limits: Mapping[str, tuple[float, float]],
    families: Mapping[str, str], direction: str = "reset",
) -> Laws:
    """Rough laws by moments of the sizes of the device estimates, in the usual or the given families."""
    free, laws = {}, {}
    for name in shape.parameters:
        if name in shape.shared:
            continue
        family = families.get(name, shape[name].family)
        values = _rough_values(name, usable, limits[name], shape.sign(name, direction))
        free[name], laws[name] = start_law(family, values, *limits[name])
    return Laws(free, laws, {})


def hold(state: Laws, unknown: Sequence[str], shape: DriftShape, longest: float) -> Laws:
    """The laws with those of `unknown` numbers held wide open, as too few devices tell of them.

    The knee may be anywhere, half of the devices have it beyond the longest trace; what follows it is small beside
    what comes before. These laws are never shown: the other laws are averaged over them.
    """
    laws = dict(state.laws)
    for name in unknown:
        law = laws[name]
        if name == shape.knee:
            laws[name] = TruncatedLaw("lognorm", {"s": _OPEN, "scale": longest}, law.lower, law.upper)
        elif name == shape.nonnegative and shape.trend in laws:
            scale = _SMALL * max(laws[shape.trend].median(), _TINY)
            laws[name] = TruncatedLaw("expon", {"loc": 0.0, "scale": scale}, law.lower, law.upper)
    return Laws({name: free for name, free in state.free.items() if name not in unknown}, laws, state.candidates)


def _rough_values(name: str, usable: Sequence[DeviceFit], limits: tuple[float, float], sign: int) -> Array:
    """Device estimates inside the limits, the resolved ones where there are enough."""
    resolved = those(usable, lambda fit: fit.status is FitStatus.OK)
    chosen = resolved if len(resolved) >= LEAST_DEVICES else usable
    values = sign * np.array([fit.numbers[name] for fit in chosen])
    low, high = limits
    inside = np.clip(values, low, high)  # an end may be infinite
    return np.asarray(inside if np.ptp(inside) > 0 else inside + np.linspace(0, 1e-9, len(inside)))


def choose_families(
    hierarchy: Hierarchy, state: Laws, limits: Mapping[str, tuple[float, float]], families: Mapping[str, str],
) -> Laws:
    """One parameter after the other, the others held at their best."""
    laws, _ = hierarchy.maximize(state.free, state.laws)
    free, candidates = dict(state.free), {}
    for name in free:
        family = free[name].family
        choice = _families_for(hierarchy.shape[name], families)
        if choice == (family,) and family != "expon":  # nothing to choose: it is at its best
            candidates[name] = akaike({family: free[name].aic(hierarchy.log_likelihood(laws))})
            continue
        sample = _likely_values(name, hierarchy, laws)
        held = Laws(dict(free), dict(laws), {})
        at_best = partial(_at_best, name, sample, hierarchy, held, limits[name])
        # in threads: each trial is alone with its numbers, and numpy lets others run while it works on a large array
        with ThreadPoolExecutor(min(len(choice), os.cpu_count() or 1)) as threads:
            tried = dict(zip(choice, threads.map(at_best, choice), strict=True))
        ordered = akaike({family: one.aic for family, one in tried.items()})
        halves = {family: one.halves for family, one in tried.items()}
        candidates[name] = _settled(ordered, (free[name].family, *choice), halves)
        best = tried[candidates[name][0].family]
        free[name], laws[name] = best.free, best.law
    return Laws(free, laws, candidates)


@dataclass(frozen=True)
class _Tried:
    """A family at its best: AIC, and by how much ln L of each device differs between the halves of its draws."""

    free: FreeLaw
    law: TruncatedLaw
    aic: float
    halves: Array


def _at_best(
    name: str, sample: Array, hierarchy: Hierarchy, state: Laws, limits: tuple[float, float], family: str
) -> _Tried:
    """A family for one number, the laws of the others held."""
    found: list[tuple[float, FreeLaw, TruncatedLaw]] = []
    for option, start in _options(family, name, sample, hierarchy, state.laws, limits, state.free[name]):
        laws, log_likelihood = hierarchy.maximize(
            {**state.free, name: option}, {**state.laws, name: start}, only=[name]
        )
        found.append((option.aic(log_likelihood), option, laws[name]))
    aic, free, law = min(found, key=lambda one: one[0])
    return _Tried(free, law, aic, hierarchy.between_halves({**state.laws, name: law}))


def _settled(
    ordered: tuple[Candidate, ...], order: Sequence[str], halves: Mapping[str, Array]
) -> tuple[Candidate, ...]:
    """The candidates, that first which is first in `order` of all that the best does not surely beat.

    `halves` are differences of ln L between the halves of each device's draws. The error of all draws is half their
    root sum of squares, and AIC is twice ln L.
    """
    best = ordered[0]
    errors = {family: float(np.linalg.norm(half - halves[best.family])) for family, half in halves.items()}
    equals = [one for one in ordered if one.aic <= best.aic + max(_TIE, _SURE * errors[one.family])]
    chosen = min(equals, key=lambda one: order.index(one.family))
    return (chosen, *(one for one in ordered if one is not chosen))


def _likely_values(name: str, hierarchy: Hierarchy, laws: Mapping[str, TruncatedLaw]) -> Array:
    """400 even quantiles of what the devices hold, given the laws so far."""
    weight, _ = hierarchy.posterior(laws)
    values, w = hierarchy.inside[name].ravel(), weight.ravel()
    order = np.argsort(values)
    cumulative = np.cumsum(w[order]) / w.sum()
    at = np.searchsorted(cumulative, (np.arange(400) + 0.5) / 400).clip(0, len(values) - 1)
    return np.asarray(values[order][at])


def _options(
    family: str, name: str, sample: Array, hierarchy: Hierarchy, laws: Mapping[str, TruncatedLaw],
    limits: tuple[float, float], current: FreeLaw,
) -> list[tuple[FreeLaw, TruncatedLaw]]:
    """Where to start a family; for the exponential of a slope also with a loc above zero."""
    options = [(current, laws[name])] if family == current.family else [start_law(family, sample, *limits)]
    if family == "expon" and name != hierarchy.shape.knee:
        options.append(_best_loc(name, float(sample.mean()), hierarchy, laws, limits))
    return options


def _best_loc(
    name: str, mean: float, hierarchy: Hierarchy, laws: Mapping[str, TruncatedLaw], limits: tuple[float, float]
) -> tuple[FreeLaw, TruncatedLaw]:
    """The exponential with the likeliest `loc` above zero, at the scale that keeps the mean."""
    log_likelihood = hierarchy.of_one_law(name, laws)

    def exponential(loc: float) -> tuple[FreeLaw, TruncatedLaw]:
        free = FreeLaw("expon", {"loc": loc}, max(limits[0], loc), limits[1])
        return free, free.law([math.log(mean - loc)])

    def missed(share: float) -> float:
        return -log_likelihood(exponential(share * mean)[1])

    grid = np.geomspace(*_LOCS, 7)
    at = int(np.argmin([missed(share) for share in grid]))
    ends = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, len(grid) - 1)]))
    return exponential(float(optimize.minimize_scalar(missed, bounds=ends, method="bounded").x) * mean)
