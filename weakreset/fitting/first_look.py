"""What the first devices say of all: how large a number hard to see can be, and how many telegraph steps there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from weakreset.fitting.bases import Basis
from weakreset.fitting.device_fit import RESOLVED_LR, Outlook, ScannedDevice, likelihood_ratio
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.knee_posterior import scan_moments
from weakreset.fitting.missed_steps import StepPrior

__all__ = ["Glance", "glance", "outlook"]

_CAP_ROUNDS = 4  # the cap, and which devices it lets in, in turn
_WIDE_CAP = 1e-2  # 1 % a pulse: far above any weak RESET, so that it decides nothing


@dataclass(frozen=True)
class Glance:
    """Some devices, their steps' amplitudes and their pulses.

    `nonnegative` holds (value, variance) of the number of this kind (m2) where the knee is clear; `configurations` are
    the devices' own, so that nobody searches for them twice.
    """

    nonnegative: list[tuple[float, float]]
    amplitudes: list[float]
    pulses: float


def glance(dictionary: Dictionary, devices: Iterable[ScannedDevice]) -> Glance:
    """Look at devices that were scanned."""
    basis = dictionary.basis
    row = basis.linear.index(basis.scan.nonnegative) if basis.scan.nonnegative else None
    seen: list[tuple[float, float]] = []
    amplitudes: list[float] = []
    span = float(dictionary.whitener.pulses[-1] - dictionary.whitener.pulses[0])
    pulses = 0.0
    for device in devices:
        pulses += span
        configuration = device.configuration
        if configuration.steps:
            coefficients = dictionary.solve(device.products, configuration.active(dictionary))[0]
            amplitudes += [float(value) for value in coefficients[-len(configuration.steps) :]]
        if row is not None and likelihood_ratio(dictionary, device) > RESOLVED_LR:
            moments = scan_moments(dictionary, device.products, device.design, device.alpha**2)
            at = int(moments.log_z.argmax())
            seen.append((basis.falls * float(moments.numbers[row, at]), float(moments.variances()[row, at])))
    return Glance(seen, amplitudes, pulses)


def outlook(basis: Basis, glances: Sequence[Glance]) -> Outlook:
    """All glances together."""
    amplitudes = [value for one in glances for value in one.amplitudes]
    steps = StepPrior()
    if amplitudes:
        pulses = sum(one.pulses for one in glances)
        steps = StepPrior(len(amplitudes) / pulses, float(np.sqrt(np.mean(np.square(amplitudes)))))
    capped = bool(basis.scan.nonnegative)
    return Outlook(_cap([pair for one in glances for pair in one.nonnegative]) if capped else np.inf, steps)


def _cap(seen: Sequence[tuple[float, float]]) -> float:
    """Eight times the mean of the devices with a clear knee, its error allowed for: far above them all."""
    if not seen:
        return _WIDE_CAP
    values, variances = np.array(seen).T
    mean = 0.0
    for _ in range(_CAP_ROUNDS):  # devices differ by about the mean, so not one that knows itself well decides
        weights = 1.0 / (variances + mean**2)
        mean = max(float(weights @ values / weights.sum()), 0.0)
    return 8.0 * (mean + 2.0 / float(np.sqrt(weights.sum())))
