"""What the first devices of a set say of all: how large m2 can be, and how many telegraph steps there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from weakreset.fitting.device_fit import RESOLVED_LR, Outlook, ScannedDevice, likelihood_ratio
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.knee_posterior import scan_moments
from weakreset.fitting.missed_steps import StepPrior
from weakreset.fitting.step_search import Configuration

__all__ = ["Glance", "glance", "outlook"]

_CAP_ROUNDS = 4
_WIDE_M2 = 1e-2


@dataclass(frozen=True)
class Glance:
    """Some devices: (m2, its variance) of those with a clear knee, amplitudes of the steps found, pulses seen.

    `configurations` are the devices' own, so that nobody searches for them twice.
    """

    m2: list[tuple[float, float]]
    amplitudes: list[float]
    pulses: float
    configurations: list[Configuration]


def glance(dictionary: Dictionary, devices: Iterable[ScannedDevice]) -> Glance:
    """Look at devices that were scanned."""
    linear = dictionary.basis.linear
    row = linear.index("m2") if "m2" in linear else None
    m2: list[tuple[float, float]] = []
    amplitudes: list[float] = []
    span = float(dictionary.whitener.pulses[-1] - dictionary.whitener.pulses[0])
    pulses = 0.0
    configurations = []
    for device in devices:
        pulses += span
        configuration = device.configuration
        configurations.append(configuration)
        if configuration.steps:
            coefficients = dictionary.solve(device.products, configuration.active(dictionary))[0]
            amplitudes += [float(value) for value in coefficients[-len(configuration.steps) :]]
        if row is not None and likelihood_ratio(dictionary, device) > RESOLVED_LR:
            moments = scan_moments(dictionary, device.products, device.design, device.alpha**2)
            at = int(moments.log_z.argmax())
            m2.append((float(moments.numbers[row, at]), float(moments.variances()[row, at])))
    return Glance(m2, amplitudes, pulses, configurations)


def outlook(dictionary: Dictionary, glances: Sequence[Glance]) -> Outlook:
    """All glances together."""
    amplitudes = [value for one in glances for value in one.amplitudes]
    steps = StepPrior()
    if amplitudes:
        pulses = sum(one.pulses for one in glances)
        steps = StepPrior(len(amplitudes) / pulses, float(np.sqrt(np.mean(np.square(amplitudes)))))
    has_m2 = "m2" in dictionary.basis.linear
    return Outlook(_m2_cap([pair for one in glances for pair in one.m2]) if has_m2 else np.inf, steps)


def _m2_cap(seen: Sequence[tuple[float, float]]) -> float:
    """Eight times the mean m2 of the devices with a clear knee, its error allowed for: far above them all."""
    if not seen:
        return _WIDE_M2
    values, variances = np.array(seen).T
    mean = 0.0
    for _ in range(_CAP_ROUNDS):  # devices differ by about the mean, so not one that knows itself well decides
        weights = 1.0 / (variances + mean**2)
        mean = max(float(weights @ values / weights.sum()), 0.0)
    return 8.0 * (mean + 2.0 / float(np.sqrt(weights.sum())))
