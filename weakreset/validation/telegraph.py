"""Checks on telegraph noise: how often it steps, by how much, and how long it stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.pool import Pool
from weakreset.validation.steps import DOWN, FEWEST_READS, HIGH, LOW, N_HIGH, N_LOW, PULSES, SIZE, SQUARE, UP
from weakreset.validation.summaries import Summary

__all__ = ["telegraph_summaries"]

Array = NDArray[np.float64]

_LEAST_SEEN = 20  # a mean over fewer is uncertain by a quarter and more


def telegraph_summaries(pool: Pool) -> tuple[list[Summary], list[str]]:
    """Summaries, and what had to be left out and why."""
    features = pool.features["telegraph"]
    slots = pool.members[:, np.isfinite(features[pool.members[0], 0])]
    if not slots.shape[1]:
        return [], [f"telegraph steps: no device has {FEWEST_READS} evenly spaced reads"]
    known = features[np.isfinite(features[:, 0])].sum(axis=0)
    sums = np.stack([column[slots].sum(axis=1) for column in features.T], axis=1)
    rates = 1000.0 * sums[:, [UP, DOWN]] / sums[:, [PULSES]]
    what = "The number of telegraph steps found in 1,000 pulses"
    summaries, skipped = [Summary("RTN steps", rates, ("up", "down"), what)], []
    if known[UP] + known[DOWN] >= _LEAST_SEEN:
        mean = _mean(sums, known, SIZE, (UP, DOWN))
        spread = np.sqrt(np.maximum(_mean(sums, known, SQUARE, (UP, DOWN)) - mean**2, 0.0))
        what = "The size of telegraph steps (ln of the step in ln R)"
        columns = np.stack([mean, spread], axis=1)
        summaries.append(Summary("RTN amplitudes", columns, ("in the mean", "in the spread (sd)"), what))
    else:
        skipped.append(f"RTN amplitudes: fewer than {_LEAST_SEEN} steps in all")
    if min(known[N_HIGH], known[N_LOW]) >= _LEAST_SEEN:
        what = "The length of stays between two telegraph steps (mean of ln pulses)"
        columns = np.stack([_mean(sums, known, HIGH, (N_HIGH,)), _mean(sums, known, LOW, (N_LOW,))], axis=1)
        summaries.append(Summary("RTN dwell times", columns, ("in the high state", "in the low state"), what))
    else:
        skipped.append(f"RTN dwell times: fewer than {_LEAST_SEEN} stays from step to step")
    return summaries, skipped


def _mean(sums: Array, pool_sums: Array, column: int, counts: tuple[int, ...]) -> Array:
    """Mean over the steps of each replica; the pool's mean counts as one more step, for replicas without any."""
    chosen = list(counts)
    whole = pool_sums[column] / pool_sums[chosen].sum()
    return np.asarray((sums[:, column] + whole) / (sums[:, chosen].sum(axis=1) + 1.0))
