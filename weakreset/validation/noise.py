"""Checks on the noise: steps from read to read, and the spectrum of the detrended traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.features import band_frequencies
from weakreset.validation.plan import Plan
from weakreset.validation.pool import Pool
from weakreset.validation.summaries import Summary, column_quantiles

__all__ = ["noise_summaries"]

Array = NDArray[np.float64]


def noise_summaries(pool: Pool, plan: Plan) -> tuple[list[Summary], list[str]]:
    """Summaries, and what had to be left out and why."""
    summaries: list[Summary] = []
    skipped: list[str] = []
    if np.isfinite(pool.features["increment"]).any():
        summaries += _step_checks(pool, plan)
    else:
        skipped.append(f"steps from read to read: no device has 8 pairs of reads {plan.stride} pulses apart")
    if plan.segment and np.isfinite(pool.features["power"]).any():
        summaries += _spectrum_checks(pool, plan)
    else:
        skipped.append("spectrum: the traces are too short, or miss too many reads, for a segment of 16 reads or more")
    return summaries, skipped


def _step_checks(pool: Pool, plan: Plan) -> list[Summary]:
    log_scale, far, count = pool.features["increment"].T
    slots = pool.members[:, np.isfinite(log_scale[pool.members[0]])]
    middle = np.exp(np.median(log_scale[slots], axis=1))
    spread = log_scale[slots].std(axis=1)
    share = far[slots].sum(axis=1) / count[slots].sum(axis=1)
    step = "pulse to pulse" if plan.stride == 1 else f"over {plan.stride} pulses"
    return [
        Summary("step size", middle[:, None], ("",), f"The typical step of ln R {step} (robust sd, median device)"),
        Summary("step size between devices", spread[:, None], ("",), "The spread of ln(step size) between devices"),
        Summary("far steps", share[:, None], ("",), f"The share of steps {step} beyond 5 robust sd"),
    ]


def _spectrum_checks(pool: Pool, plan: Plan) -> list[Summary]:
    """Level and slope of the median device's spectrum; medians, because a few telegraph steps rule a mean."""
    power = pool.features["power"]
    bands = np.stack([column_quantiles(power[row], (0.5,))[0] for row in pool.members])
    frequency = np.log(band_frequencies(plan))
    level = bands.mean(axis=1, keepdims=True)
    summaries = [Summary("spectrum level", level, ("",), "The level of the spectrum (mean ln power, detrended)")]
    if len(frequency) >= 2:
        centred = frequency - frequency.mean()
        slope = bands @ centred / (centred @ centred)
        summaries.append(Summary("spectrum slope", slope[:, None], ("",), "The slope of the spectrum (log-log)"))
    return summaries
