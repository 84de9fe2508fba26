"""Checks on the noise: steps from read to read, and the spectrum of the detrended traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.bands import Spectrum
from weakreset.validation.features import band_frequencies
from weakreset.validation.plan import Plan
from weakreset.validation.pool import Pool
from weakreset.validation.summaries import Summary, column_quantiles

__all__ = ["make_spectrum", "noise_summaries", "replica_spectra"]

Array = NDArray[np.float64]


def noise_summaries(pool: Pool, plan: Plan, spectra: Array | None) -> tuple[list[Summary], list[str]]:
    """Summaries, and what had to be left out and why."""
    summaries: list[Summary] = []
    skipped: list[str] = []
    if np.isfinite(pool.features["increment"]).any():
        summaries += _step_checks(pool, plan)
    else:
        skipped.append(f"steps from read to read: no device has 8 pairs of reads {plan.stride} pulses apart")
    if spectra is not None:
        summaries += _spectrum_checks(plan, spectra)
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


def replica_spectra(pool: Pool, plan: Plan) -> Array | None:
    """ln power of the median device, a row a replica; medians, because a few telegraph steps rule a mean.

    None where the traces are too short, or miss too many reads.
    """
    power = pool.features["power"]
    if not plan.segment or not np.isfinite(power).any():
        return None
    return np.stack([column_quantiles(power[row], (0.5,))[0] for row in pool.members])


def make_spectrum(plan: Plan, spectra: Array) -> Spectrum:
    """Measured spectrum and what the replicas make of it, as a density per 1/pulse."""
    low, middle, high = plan.stride * np.exp(np.quantile(spectra[1:], (0.025, 0.5, 0.975), axis=0))
    return Spectrum(band_frequencies(plan), plan.stride * np.exp(spectra[0]), low, middle, high)


def _spectrum_checks(plan: Plan, spectra: Array) -> list[Summary]:
    """Level, exponent and every octave."""
    frequency = band_frequencies(plan)
    level = spectra.mean(axis=1, keepdims=True)
    summaries = [Summary("spectrum level", level, ("",), "The level of the spectrum (mean ln power, detrended)")]
    if len(frequency) < 2:
        return summaries
    centred = np.log(frequency) - np.log(frequency).mean()
    exponent = -(spectra @ centred) / (centred @ centred)
    what = "The exponent of the spectrum (of 1/f^exponent, detrended)"
    places = tuple(f"at {f:.2g} per pulse" for f in frequency)
    return [
        *summaries,
        Summary("spectrum exponent", exponent[:, None], ("",), what),
        Summary("spectrum by octave", spectra, places, "The spectrum, octave by octave (ln power),"),
    ]
