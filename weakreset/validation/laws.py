"""Checks on the laws behind the curves: the place of each one, their widths, and correlations between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.parameter_file import ParameterFile
from weakreset.twin import simulate_population
from weakreset.validation.features import block_means
from weakreset.validation.plan import Plan, Stratum
from weakreset.validation.pool import Pool, block_sizes
from weakreset.validation.regression import learn, score_targets
from weakreset.validation.summaries import Summary

__all__ = ["law_summaries"]

Array = NDArray[np.float64]

_N_LEARNED_FROM = 8000  # more sharpen the test a little and never change its level: it is a permutation test
_WEIGHT = 2.8
"""Errors of a law show at few sigmas with hundreds of devices, those of noise at many: laws get more of the level."""
_LEAST_TRACES = 10  # means over fewer show nothing but gross errors
_LEAST_BLOCKS = 4  # a curve of fewer points has no slope, knee and second slope


def law_summaries(
    pool: Pool, plan: Plan, params: ParameterFile, strata: list[Stratum], rng: np.random.Generator
) -> tuple[list[Summary], list[str]]:
    """Summaries, and what had to be left out and why."""
    blocks = pool.features["blocks"]
    slots = pool.members[:, np.isfinite(blocks[pool.members[0]]).all(axis=1)]
    if blocks.shape[1] - 1 < _LEAST_BLOCKS or slots.shape[1] < _LEAST_TRACES:
        return [], ["laws behind the curves: fewer than 10 traces were read from end to end, or in too few places"]
    pulses = _most_read([(len(s), grid) for s in strata for grid in s.pulses], plan)
    learned_from, numbers = _simulated(params, pulses, plan, rng)
    if not numbers:
        return [], ["laws behind the curves: the model's devices are all alike"]
    targets, meanings = score_targets(numbers)
    regression = learn(plan.block_centres, learned_from, targets, rng)
    finite = np.isfinite(blocks).all(axis=1)
    predicted = np.full((len(blocks), targets.shape[1]), np.nan)
    predicted[finite] = regression(blocks[finite])
    means = np.stack([column[slots].mean(axis=1) for column in predicted.T], axis=1)
    return _summaries(means, meanings, list(numbers)), []


def _summaries(means: Array, meanings: list[tuple[str, ...]], names: list[str]) -> list[Summary]:
    """The fresh resistance has a check of its own, so only its correlations are looked at here."""
    place = {name: i for i, name in enumerate(names) if name != "r0_ohm"}
    pairs = {pair: i for i, pair in enumerate(meanings) if len(pair) == 2}
    what = "What the curves say of {} (mean of normal scores)"
    found: list[tuple[str, list[int], tuple[str, ...], str]] = [
        (f"law of {name}", [i], ("",), what.format(name)) for name, i in place.items()
    ]
    if place:
        what = "What the curves say of the widths of the laws (mean of squared scores)"
        columns = [len(names) + i for i in place.values()]
        found.append(("widths of the laws", columns, tuple(f"in {name}" for name in place), what))
    if pairs:
        what = "What the curves say of correlations (mean of products of scores)"
        places = tuple(f"between {x} and {y}" for x, y in pairs)
        found.append(("correlation of the laws", list(pairs.values()), places, what))
    return [Summary(name, means[:, columns], places, what, weight=_WEIGHT) for name, columns, places, what in found]


def _most_read(grids: list[tuple[int, NDArray[np.int64]]], plan: Plan) -> NDArray[np.int64]:
    """The pulses at which most devices were read, of those with a read in every block."""
    complete = [
        (count, pulses) for count, pulses in grids
        if np.isfinite(block_means(pulses, np.zeros((1, len(pulses))), plan.block_edges)).all()
    ]
    return max(complete, key=lambda grid: grid[0])[1]


def _simulated(
    params: ParameterFile, pulses: NDArray[np.int64], plan: Plan, rng: np.random.Generator
) -> tuple[Array, dict[str, Array]]:
    """Blocks of simulated devices, and the numbers that made them; those that are the same in all are left out."""
    blocks, drawn = [], []
    for size in block_sizes(_N_LEARNED_FROM, int(pulses[-1]) + 1):
        twin = simulate_population(params, size, int(pulses[-1]), rng.spawn(1)[0], quick=True)
        log_r = np.log(twin.devices.r0_ohm)[:, None] + twin.log_ratio[:, pulses]
        blocks.append(block_means(pulses, log_r, plan.block_edges))
        drawn.append({"r0_ohm": twin.devices.r0_ohm, **twin.devices.drift})
    numbers = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    return np.concatenate(blocks), {name: values for name, values in numbers.items() if np.ptp(values) > 0}
