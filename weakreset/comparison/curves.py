"""What the median device of two files does over pulses, with the errors of their laws."""

from __future__ import annotations

import math

import numpy as np

from weakreset.comparison.quantities import Difference, Quantity
from weakreset.errors import ParameterFileError
from weakreset.parameter_file import ParameterFile, draw_parameters, drift_band
from weakreset.parameter_file.over_pulses import usual_pulses

__all__ = ["curve_differences"]

_DRAWS = 60
_PULSES = (10, 100, 1000, 10_000)


def curve_differences(a: ParameterFile, b: ParameterFile, rng: np.random.Generator) -> list[Difference]:
    """R of the median device after some pulses, as far as both files go; nothing where one cannot be drawn."""
    last = min(usual_pulses(a), usual_pulses(b))
    pulses = [*(n for n in _PULSES if 1.5 * n < last), last]  # none too close to the last, which is always there
    try:
        medians = [_medians(file, pulses, rng) for file in (a, b)]
    except ParameterFileError:
        return []  # not identifiable, which the notes say
    return [
        Difference.between(f"R after {pulse} pulses", "ohm", *(found[i] for found in medians))
        for i, pulse in enumerate(pulses)
    ]


def _medians(params: ParameterFile, pulses: list[int], rng: np.random.Generator) -> list[Quantity]:
    values = _log_ohm(params, pulses)
    if not any(entry.stderr for entry in params.parameters.values()):
        return [Quantity(math.exp(value), None) for value in values]
    drawn = np.array([_log_ohm(file, pulses) for file in draw_parameters(params, _DRAWS, rng)])
    return [Quantity(math.exp(value), float(error)) for value, error in zip(values, drawn.std(axis=0), strict=True)]


def _log_ohm(params: ParameterFile, pulses: list[int]) -> list[float]:
    """The same 400 ranks of devices in every file (one seed), so that what is left differs by the laws alone."""
    band = drift_band(params, pulses[-1])
    return [float(np.log(np.interp(pulse, band.pulses, band.ohm[1]))) for pulse in pulses]
