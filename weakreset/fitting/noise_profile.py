"""Noise whose size changes along the traces of a set, in the same way for most devices.

A contact that wears, a cell that calms, noise that grows with R while every R grows: whitened by one size, the loud
part of the traces is taken for telegraph steps and the quiet part for less than it tells. So the squares of what the
fits of the survey leave, whitened, are averaged over the devices in eighths of the traces. Where these differ by more
than the scatter of the devices explains, the whole set is fitted with this size at each pulse,

    covariance = s(t) s(t') x that of 1/f and read noise,   the mean of s^2 over the traces 1.

What single devices do besides is left to the errors that their residuals ask for (`residual_check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.device_fit import ScannedDevice
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.own_colour import left_of
from weakreset.fitting.whitening import NoiseProfile

__all__ = ["ROUNDS", "SizeSeen", "noise_profile", "profile_in_words", "size_seen"]

Array = NDArray[np.float64]

ROUNDS = 2  # steps that were none hide a part of the loud noise from the first look

_PARTS = 8
_LEAST_DEVICES = 8
_LEAST_READS_A_PART = 12
_LEVEL = 1e-5  # false alarms of the test; the squares of a heavy-tailed noise scatter, and scatter is what it goes by
_LEAST_RATIO = 1.25  # loudest over quietest part: less moves no interval by as much as its own uncertainty
_KEPT = 0.9  # of the devices: one that jumps in the middle of its trace is not the set


@dataclass(frozen=True)
class SizeSeen:
    """Middle pulse of each part of the traces, and mean squares of what is left there, a row a device of mean 1."""

    middles: Array
    squares: Array


def size_seen(dictionary: Dictionary, devices: Sequence[ScannedDevice]) -> SizeSeen | None:
    """Of devices read at all pulses of a grid; None where its parts would be too short."""
    whitener = dictionary.whitener
    if whitener.gone is not None or len(whitener.pulses) < _PARTS * _LEAST_READS_A_PART or not devices:
        return None
    white = whitener.rows(left_of(dictionary, devices))
    edges = np.linspace(0, white.shape[1], _PARTS + 1).astype(int)
    squares = np.add.reduceat(white**2, edges[:-1], axis=1) / np.diff(edges)
    middles = np.array([whitener.pulses[a:b].mean() for a, b in pairwise(edges)])
    return SizeSeen(middles, squares / np.maximum(squares.mean(axis=1, keepdims=True), 1e-300))


def noise_profile(seen: Sequence[SizeSeen | None], before: NoiseProfile | None) -> NoiseProfile | None:
    """From the devices of the grid that has most of them; `before` is what they were whitened with.

    Returns
    -------
    NoiseProfile or None
        `before` where nothing more is seen.
    """
    known: dict[bytes, list[SizeSeen]] = {}
    for one in seen:
        if one is not None:
            known.setdefault(one.middles.tobytes(), []).append(one)
    if not known:
        return before
    most = max(known.values(), key=lambda same: sum(len(one.squares) for one in same))
    logs = np.log(np.maximum(np.concatenate([one.squares for one in most]), 1e-12))
    if len(logs) < _LEAST_DEVICES:
        return before
    logs = np.sort(logs - logs.mean(axis=1, keepdims=True), axis=0)
    cut = int(0.5 * (1.0 - _KEPT) * len(logs))
    kept = logs[cut : len(logs) - cut]
    middle = kept.mean(axis=0)
    error = np.maximum(logs.std(axis=0, ddof=1), 1e-6) / np.sqrt(len(logs))
    distance = float(np.sum((middle / error) ** 2)) * (1.0 - 1.0 / _PARTS)
    chance = float(special.chdtrc(_PARTS - 1, distance))
    if chance > _LEVEL or np.ptp(middle) < 2.0 * np.log(_LEAST_RATIO):
        return before
    middles = most[0].middles
    log_size = 0.5 * middle + (np.zeros(_PARTS) if before is None else np.log(before.at(middles)))
    log_size -= 0.5 * np.log(np.mean(np.exp(2.0 * log_size)))
    return NoiseProfile(tuple(middles.tolist()), tuple(np.round(log_size, 4).tolist()))


def profile_in_words(profile: NoiseProfile | None) -> str:
    """What to say of it; empty where there is none."""
    if profile is None:
        return ""
    sizes = np.exp(profile.log_size)
    return (
        f"the noise changes along the traces: {sizes[0]:.2g} times its mean at their beginning, {sizes[-1]:.2g} at "
        f"their end ({sizes.min():.2g} to {sizes.max():.2g} in between; by chance in one set of {1 / _LEVEL:,.0f}). "
        "Fits allow for it; alpha is the mean, and simulated devices have the mean throughout"
    )
