"""Pooled noise from a sample of the devices: what they need besides noise, then REML on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.group import Group, families
from weakreset.fitting.noise_fit import ColourFit, DesignedTraces, fit_colour
from weakreset.fitting.scan import scan_group
from weakreset.fitting.shared_dictionary import SharedDictionary
from weakreset.fitting.whitening import NoiseColour, NoiseProfile

__all__ = ["survey_noise"]

Array = NDArray[np.float64]

# devices, how far from the last exponent to search, and whether roughly: a glance to know the colour, for it decides
# which steps are found; then the estimate
_ROUNDS = ((32, 0.6, True), (96, 0.15, False))
_READS = 512  # the cost of a dense covariance grows with their cube
_NOISY_RATIO = 2.0  # times the median: a bad contact, which would flatten the exponent of all


class _Scanned(NamedTuple):
    """A device: which reads of the common grid it has, their ln(R/R0), its design there, its alpha."""

    kept: NDArray[np.intp]
    log_ratio: Array
    design: Array
    own_alpha: float


def survey_noise(
    groups: Sequence[Group], basis: Basis, alpha: float | None, exponent: float | None, read_sd: float | None,
    rtn: bool, profile: NoiseProfile | None = None, wanders: bool = False,
) -> ColourFit:
    """Noise from up to 96 devices, up to 512 reads each, after a first estimate from fewer.

    Parameters
    ----------
    groups : sequence of Group
    basis : Basis
    alpha, exponent, read_sd : float, optional
        Fixed where given.
    rtn : bool
        Whether to look for telegraph steps.
    profile : NoiseProfile, optional
        How the size of the noise changes along the traces, where that is known.
    wanders : bool
        Whether the baseline may wander.
    """
    start = 1.0 if exponent is None else exponent
    fit = ColourFit(NoiseColour(start, 0.0, profile=profile), 0.0, None, None)
    for n_devices, reach, rough in _ROUNDS:
        sample = _sample(groups, n_devices)
        scanned = [_scanned(family, basis, fit, rtn) for family in sample]
        # one noisy contact would decide for all: devices twice as noisy as most are left out
        most = _NOISY_RATIO * float(np.median([device.own_alpha for family in scanned for device in family]))
        designed = [
            _designed(family[0].common, [device for device in devices if device.own_alpha <= most])
            for family, devices in zip(sample, scanned, strict=True)
        ]
        level = alpha or fit.alpha
        ratio = None if read_sd is None else (read_sd / level) ** 2 if level > 0 else 0.0
        fit = fit_colour(designed, exponent, ratio, fit.colour.exponent or start, reach, rough, profile, wanders)
    return fit if alpha is None else replace(fit, alpha=alpha, alpha_stderr=None)


def _sample(groups: Sequence[Group], n_devices: int) -> list[list[Group]]:
    """Devices evenly spaced in the largest common grids, their first reads; by common grid."""
    sample: list[list[Group]] = []
    wanted = n_devices
    for family in families(groups):
        if wanted <= 0:
            break
        stride = max(1, -(-sum(len(group.traces) for group in family) // wanted))
        chosen: list[Group] = []
        skipped = 0
        for group in family:
            rows = np.arange(len(group.traces))
            mask = (rows + skipped) % stride == 0
            skipped += len(rows)
            if mask.any():
                chosen.append(_first_reads(group.part(mask)))
        sample.append(chosen)
        wanted -= sum(len(group.traces) for group in chosen)
    return sample


def _first_reads(group: Group) -> Group:
    common = group.common[:_READS]
    n = int(np.searchsorted(group.pulses, common[-1], side="right"))
    return Group(group.pulses[:n], group.traces, group.rows[:, :n], common)


def _scanned(family: Sequence[Group], basis: Basis, fit: ColourFit, rtn: bool) -> list[_Scanned]:
    """What each device needs before its noise shows."""
    shared = SharedDictionary(family[0].common, fit.colour, basis, rtn)
    found = []
    for group in family:
        dictionary = shared.at(group.pulses)
        for device in scan_group(dictionary, group, fit.alpha or None, rtn):
            design = device.design.raw(dictionary, device.configuration)
            found.append(_Scanned(dictionary.whitener.kept, device.log_ratio, design, device.own_alpha))
    return found


def _designed(pulses: NDArray[np.int64], devices: Sequence[_Scanned]) -> DesignedTraces:
    """Devices of one common grid on all of its reads."""
    traces = np.zeros((len(devices), len(pulses)))
    designs, lengths = [], []
    for trace, device in zip(traces, devices, strict=True):
        n = int(device.kept[-1]) + 1
        missing = np.setdiff1d(np.arange(n), device.kept)
        design = np.zeros((len(pulses), device.design.shape[1] + len(missing)))
        trace[device.kept] = device.log_ratio
        design[device.kept, : device.design.shape[1]] = device.design
        design[missing, device.design.shape[1] + np.arange(len(missing))] = 1.0
        designs.append(design)
        lengths.append(n)
    return DesignedTraces(pulses, traces, designs, lengths)
