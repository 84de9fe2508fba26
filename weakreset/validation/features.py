"""What is kept of one device: a handful of numbers, computed alike for measured and simulated traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.plan import Plan
from weakreset.validation.shape import shape_features
from weakreset.validation.steps import N_STEP_FEATURES, step_features

__all__ = ["band_frequencies", "block_means", "device_features"]

Array = NDArray[np.float64]
Pulses = NDArray[np.int64]

_TAIL = 5.0  # robust sd: normal noise has one step in two million beyond
_LARGEST_GAP_SHARE = 0.3  # of the reads: what is interpolated over more would be a straight line of ours


def device_features(pulses: Pulses, log_r: Array, plan: Plan) -> dict[str, Array]:
    """Features of devices that were read at the same `pulses`.

    Parameters
    ----------
    pulses : ndarray of int, shape (n_reads,)
    log_r : ndarray, shape (n_devices, n_reads)
        ln(R / ohm).
    plan : Plan

    Returns
    -------
    dict of str to ndarray, each of shape (n_devices, k)
        `log_r`, `log_ratio` (at plan.envelope_pulses; the first read stands in for R0 where the fresh
        device was not read), `fresh`, `increment`, `power`, `telegraph`, `blocks` (ln(R/R0) averaged in each of
        the plan's blocks, then ln R0), `shape` (what a broken line leaves). NaN where this read pattern does not tell.
    """
    at_plan = _columns_at(pulses, log_r, plan.envelope_pulses)
    fresh = log_r[:, :1] if pulses[0] == 0 else np.full((len(log_r), 1), np.nan)
    series = _regular(pulses, log_r, plan)
    return {
        "log_r": at_plan,
        "log_ratio": at_plan - log_r[:, :1],
        "fresh": fresh,
        "increment": _increments(pulses, log_r, plan.stride),
        "power": _band_power(series, plan, len(log_r)),
        "telegraph": _telegraph(series, plan, len(log_r)),
        "blocks": block_means(pulses, log_r, plan.block_edges),
        "shape": shape_features(pulses, log_r, plan),
    }


def _columns_at(pulses: Pulses, log_r: Array, wanted: Pulses) -> Array:
    result = np.full((len(log_r), len(wanted)), np.nan)
    place = np.searchsorted(pulses, wanted)
    found = (place < len(pulses)) & (pulses[np.minimum(place, len(pulses) - 1)] == wanted)
    result[:, found] = log_r[:, place[found]]
    return result


def block_means(pulses: Pulses, log_r: Array, edges: Pulses) -> Array:
    """Mean of ln(R/R0) over the reads in each block, and ln R0; shape (n, n_blocks + 1).

    Blocks without a read are interpolated, but for the last one: a trace that does not reach it gives NaN.
    """
    result = np.full((len(log_r), len(edges)), np.nan)
    places = np.searchsorted(pulses, edges)
    read = np.flatnonzero(np.diff(places))
    missing = np.flatnonzero(np.diff(places) == 0)
    if not len(read) or read[-1] != len(edges) - 2 or len(missing) > _LARGEST_GAP_SHARE * (len(edges) - 1):
        return result
    for i in read:
        result[:, i] = log_r[:, places[i] : places[i + 1]].mean(axis=1) - log_r[:, 0]
    for i in missing:
        place = int(np.searchsorted(read, i))
        left, right = read[max(place - 1, 0)], read[place]
        weight = (i - left) / (right - left) if left < i else 0.0
        result[:, i] = (1.0 - weight) * result[:, left] + weight * result[:, right]
    result[:, -1] = log_r[:, 0]
    return result


def _increments(pulses: Pulses, log_r: Array, stride: int) -> Array:
    """ln of the robust scale of steps between reads `stride` apart, number of far steps, number of steps."""
    usable = np.flatnonzero((np.diff(pulses) == stride) & (pulses[:-1] >= 1))
    if len(usable) < 8:
        return np.full((len(log_r), 3), np.nan)
    steps = log_r[:, usable + 1] - log_r[:, usable]
    distance = np.abs(steps - np.median(steps, axis=1, keepdims=True))
    scale = 1.4826 * np.median(distance, axis=1, keepdims=True)
    far = np.sum(distance > _TAIL * scale, axis=1, keepdims=True)
    logged = np.log(np.maximum(scale, np.finfo(float).tiny))
    return np.concatenate([logged, far, np.full_like(scale, steps.shape[1])], axis=1)


def _bands(segment: int) -> list[NDArray[np.int64]]:
    """Harmonics 1 .. segment/2 in octaves; the lowest is left out, detrending eats it."""
    harmonics = np.arange(2, segment // 2 + 1)
    octave = np.floor(np.log2(harmonics)).astype(int)
    octave[harmonics == segment // 2] -= 1
    return [harmonics[octave == k] for k in np.unique(octave)]


def band_frequencies(plan: Plan) -> Array:
    """Centre of each band of `power`, in 1/pulse (geometric mean)."""
    return np.array([np.exp(np.mean(np.log(band))) for band in _bands(plan.segment)]) / (plan.segment * plan.stride)


def _regular(pulses: Pulses, log_r: Array, plan: Plan) -> Array | None:
    """ln R at every `plan.stride`th pulse from the first pulse on, missing reads interpolated, in replicas too.

    None where more are missing than a third.
    """
    if pulses[-1] < 1:
        return None
    regular = np.arange(int(pulses[np.searchsorted(pulses, 1)]), int(pulses[-1]) + 1, plan.stride)
    if len(regular) < 2 or 1.0 - np.isin(regular, pulses).mean() > _LARGEST_GAP_SHARE:
        return None
    right = np.clip(np.searchsorted(pulses, regular), 1, len(pulses) - 1)
    weight = (regular - pulses[right - 1]) / (pulses[right] - pulses[right - 1])
    return np.asarray(log_r[:, right - 1] * (1.0 - weight) + log_r[:, right] * weight)


def _telegraph(series: Array | None, plan: Plan, n_devices: int) -> Array:
    return np.full((n_devices, N_STEP_FEATURES), np.nan) if series is None else step_features(series, plan.stride)


def _band_power(series: Array | None, plan: Plan, n_devices: int) -> Array:
    """ln of the mean periodogram in each octave, over half-overlapping segments without their straight line.

    A knee inside a segment leaves a little curvature; replicas have it too.
    """
    n_bands = len(_bands(plan.segment)) if plan.segment else 0
    if series is None or not n_bands or series.shape[1] < plan.segment:
        return np.full((n_devices, n_bands), np.nan)
    starts = np.arange(0, series.shape[1] - plan.segment + 1, plan.segment // 2)
    pieces = np.stack([series[:, s : s + plan.segment] for s in starts], axis=1)
    line = np.linspace(-1.0, 1.0, plan.segment)
    pieces = pieces - pieces.mean(axis=2, keepdims=True)
    pieces = pieces - (pieces @ line / (line @ line))[..., None] * line
    window = np.hanning(plan.segment)
    power = np.mean(np.abs(np.fft.rfft(pieces * window, axis=2)) ** 2, axis=1) / np.sum(window**2)
    bands = np.stack([power[:, band].mean(axis=1) for band in _bands(plan.segment)], axis=1)
    return np.asarray(np.log(np.maximum(bands, np.finfo(float).tiny)))
