"""Pooled noise from a sample of the devices: what they need besides noise, then REML on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from weakreset.fitting.bases import Basis
from weakreset.fitting.blocks import Group, scan_group
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.noise_fit import ColourFit, DesignedTraces, fit_colour
from weakreset.fitting.whitening import NoiseColour, Whitener

__all__ = ["survey_noise"]

# devices, how far from the last exponent to search, and whether roughly: a glance to know the colour, for it decides
# which steps are found; then the estimate
_ROUNDS = ((32, 0.6, True), (96, 0.15, False))
_READS = 512
_NOISY_RATIO = 2.0


def survey_noise(
    groups: Sequence[Group], basis: Basis, alpha: float | None, exponent: float | None, read_sd: float | None, rtn: bool
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
    """
    start = 1.0 if exponent is None else exponent
    fit = ColourFit(NoiseColour(start, 0.0), 0.0, None, None)
    for n_devices, reach, rough in _ROUNDS:
        designed = [_designed(group, basis, fit, rtn) for group in _sample(groups, n_devices)]
        level = alpha or fit.alpha
        ratio = None if read_sd is None else (read_sd / level) ** 2 if level > 0 else 0.0
        fit = fit_colour(designed, exponent, ratio, fit.colour.exponent or start, reach, rough)
    return fit if alpha is None else replace(fit, alpha=alpha, alpha_stderr=None)


def _sample(groups: Sequence[Group], n_devices: int) -> list[Group]:
    """Devices evenly spaced in the largest groups, their first reads."""
    sample: list[Group] = []
    wanted = n_devices
    for group in groups:
        if wanted <= 0:
            break
        stride = max(1, -(-len(group.traces) // wanted))
        rows = group.rows[::stride, :_READS]
        sample.append(Group(group.pulses[:_READS], group.traces[::stride], rows))
        wanted -= len(rows)
    return sample


def _designed(group: Group, basis: Basis, fit: ColourFit, rtn: bool) -> DesignedTraces:
    """What each ordinary device needs before its noise shows; devices twice as noisy as most are left out."""
    dictionary = Dictionary(Whitener(group.pulses, fit.colour), basis, rtn)
    scanned = list(scan_group(dictionary, group, fit.alpha or None, rtn))
    quiet = np.median([device.own_alpha for device in scanned])
    kept = [i for i, device in enumerate(scanned) if device.own_alpha <= _NOISY_RATIO * quiet]
    designs = [scanned[i].design.raw(dictionary, scanned[i].configuration) for i in kept]
    return DesignedTraces(group.pulses, group.rows[kept], designs)
