"""Checks on the curves themselves: envelopes, distributions at a pulse count, fresh resistance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.bands import Distribution, Envelope
from weakreset.validation.distances import DISTANCES, distances
from weakreset.validation.plan import Plan
from weakreset.validation.pool import Pool
from weakreset.validation.summaries import Summary, column_quantiles

__all__ = ["LEVELS", "curve_summaries", "make_distributions", "make_envelope", "replica_envelopes"]

Array = NDArray[np.float64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_PROBABILITIES = tuple(np.linspace(0.025, 0.975, 39).round(3).tolist())
_BLOCK = 2_000_000  # values sorted at once, 16 MB: more gain nothing and take memory


def replica_envelopes(pool: Pool) -> Array:
    """Quantiles of ln(R/R0) over the devices of each replica; shape (n_replicas + 1, n_levels, n_pulses)."""
    values = pool.features["log_ratio"]
    n_devices = pool.members.shape[1]
    step = max(1, _BLOCK // (n_devices * values.shape[1]))
    starts = range(0, len(pool.members), step)
    return np.concatenate([column_quantiles(values[pool.members[s : s + step]], LEVELS) for s in starts])


def make_envelope(pool: Pool, plan: Plan, envelopes: Array) -> Envelope:
    """Measured quantiles and what the replicas make of them."""
    low, middle, high = np.quantile(envelopes[1:], (0.025, 0.5, 0.975), axis=0)
    counts = np.isfinite(pool.features["log_ratio"][pool.members[0]]).sum(axis=0)
    return Envelope(plan.envelope_pulses, LEVELS, envelopes[0], low, middle, high, counts)


def curve_summaries(
    pool: Pool, plan: Plan, envelopes: Array, spread: bool = True
) -> tuple[list[Summary], list[str]]:
    """Summaries, and what had to be left out and why; without a `spread` in the file only the shape is compared."""
    shape = _shape_check(pool)
    skipped = [] if shape else ["shape of the curves: no device was read often enough from end to end"]
    if not spread:
        why = "the file was fitted to too few devices for a spread, and holds one typical device"
        return shape, [*skipped, f"curves, distributions and laws: {why}"]
    summaries = _envelope_checks(plan, envelopes)
    summaries.append(_coverage(pool))
    for pulse in plan.distribution_pulses:
        column = pool.features["log_r"][:, int(np.searchsorted(plan.envelope_pulses, pulse))]
        what = f"The distribution of ln R at pulse {pulse}"
        summaries.append(_distance_check(f"ln R at pulse {pulse}", column, pool, what))
    summaries += shape
    fresh = pool.features["fresh"][:, 0]
    if np.isfinite(fresh).any():
        what = "The distribution of the fresh resistance (ln R0)"
        summaries.append(_distance_check("fresh resistance", fresh, pool, what))
    else:
        skipped.append("fresh resistance: no device was read before its first pulse")
    return summaries, skipped


def make_distributions(pool: Pool, plan: Plan) -> tuple[Distribution, ...]:
    """Quantiles of ln R at each of the plan's pulse counts, and what the replicas make of them."""
    columns = np.searchsorted(plan.envelope_pulses, plan.distribution_pulses)
    quantiles = column_quantiles(pool.features["log_r"][:, columns][pool.members], _PROBABILITIES)
    low, middle, high = np.quantile(quantiles[1:], (0.025, 0.5, 0.975), axis=0)
    p = np.array(_PROBABILITIES)
    return tuple(
        Distribution(int(pulse), p, quantiles[0, :, i], low[:, i], middle[:, i], high[:, i])
        for i, pulse in enumerate(plan.distribution_pulses)
    )


def _distance_check(name: str, column: Array, pool: Pool, what: str) -> Summary:
    places = tuple(f"in the {kind}" for kind in DISTANCES)
    return Summary(name, distances(column, pool.members), places, what, distance=True)


def _envelope_checks(plan: Plan, envelopes: Array) -> list[Summary]:
    groups = {
        "median curve": (2,),
        "middle half (25 %, 75 %)": (1, 3),
        "outer envelope (5 %, 95 %)": (0, 4),
    }
    summaries = []
    for name, rows in groups.items():
        values = envelopes[:, rows, :].reshape(len(envelopes), -1)
        places = tuple(
            f"in the {100 * LEVELS[row]:.0f} % quantile at pulse {pulse}"
            for row in rows
            for pulse in plan.envelope_pulses
        )
        summaries.append(Summary(name, values, places, f"ln(R/R0), {name},"))
    return summaries


def _shape_check(pool: Pool) -> list[Summary]:
    features = pool.features["shape"]
    slots = pool.members[:, np.isfinite(features[pool.members[0], 0])]
    if not slots.shape[1]:
        return []
    means = np.stack([column[slots].mean(axis=1) for column in features.T], axis=1)
    places = ("as a bow before the knee", "as a bow after the knee", "as a cut corner at the knee")
    what = "What is left of the curves beside two straight lines (mean correlation)"
    return [Summary("shape of the curves", means, places, what)]


def _coverage(pool: Pool) -> Summary:
    values = pool.features["log_ratio"]
    low, high = column_quantiles(values, (0.05, 0.95))
    inside = np.where(np.isfinite(values), (values >= low) & (values <= high), np.nan)
    per_device = np.nansum(inside, axis=1)
    reads = np.isfinite(values).sum(axis=1)
    share = per_device[pool.members].sum(axis=1) / reads[pool.members].sum(axis=1)
    what = "The share of reads inside the model's 5 to 95 % band"
    return Summary("coverage of the 5-95 % band", share[:, None], ("",), what)
