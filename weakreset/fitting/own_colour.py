"""Devices whose noise has an exponent of its own.

The exponent of 1/f^exponent is pooled over devices. Where cells differ (another trap, another process), a device
whitened with the others' exponent has intervals that are too narrow or too wide. So each device's likelihood of the
exponent is looked at near the pooled one, on what its best knee and steps leave. Fitting takes some slow noise away
from every device alike, so what counts is how far a device lies from the middle of all. Where the devices of the survey
spread by more than their errors explain, or one stands far off, those that do are fitted with an exponent of their own,
shrunk towards the middle as far as its error asks (empirical Bayes: Robbins 1956).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.device_fit import ScannedDevice
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.whitening import NoiseColour, Whitener

__all__ = ["EXPONENTS", "NearColours", "OwnColour", "left_of", "own_colour"]

Array = NDArray[np.float64]

EXPONENTS = (0.0, 1.95)
_REACH = 0.25  # of the exponent, either side, from which the bend of the likelihood is taken
_BIN = 0.15  # devices in one bin share a whitener
_LEAST_DEVICES = 5  # the spread of fewer is not known at all
_SPREADS = 1.35  # robust sd of z between devices; 1 where all share one exponent
_STANDS_OFF = 4.0  # a single device, where the others agree
_OF_MEDIAN = 1.65  # errors of a robust spread over those of one from squares
_SURE = 3.5  # standard errors of the robust sd of z, which is 1 by chance: of a spread that goes into the file
_MOST_MOVES = 6
_ROUNDING = 1e-9
_MOST_READS = 1024  # more reads of one device cost more than they tell of its exponent


@dataclass(frozen=True)
class OwnColour:
    """How exponents of single devices differ from the pooled one.

    Attributes
    ----------
    pooled : float
    middle : float
        Where the middle of the devices lies, from the pooled one.
    spread : float
        Standard deviation of the exponent between devices, beyond what its errors explain; 0 where they do not
        differ: then only devices that stand far off have one of their own.
    spread_stderr : float or None
        None where the spread may be chance: devices are then fitted with exponents of their own, to be safe.
    """

    pooled: float
    middle: float
    spread: float
    spread_stderr: float | None = None

    def exponents(self, away: Array, error: Array) -> Array:
        """To fit each device with: the pooled one unless its own is told apart.

        Parameters
        ----------
        away, error : ndarray, shape (n_devices,)
            From `NearColours.exponents_of`.
        """
        far = away - self.middle
        if self.spread > 0:
            # where devices differ, the pooled exponent is that of the steepest: slow noise has the most power
            shrunk = self.middle + far * self.spread**2 / (self.spread**2 + error**2)
        else:
            shrunk = np.where(np.abs(far) > _STANDS_OFF * error, far, 0.0)
        # devices of about one exponent share a whitener
        return np.clip(self.pooled + _BIN * np.round(shrunk / _BIN), *EXPONENTS)


def own_colour(away: Array, error: Array, pooled: float) -> OwnColour | None:
    """From exponents of surveyed devices; None for fewer than five."""
    if len(away) < _LEAST_DEVICES:
        return None
    middle = float(np.median(away))
    far = away - middle
    spreads = 1.4826 * float(np.median(np.abs(far / error)))
    variance = max(0.0, float((1.4826 * np.median(np.abs(far))) ** 2 - np.median(error**2)))
    if spreads <= _SPREADS or variance == 0.0:
        return OwnColour(pooled, middle, 0.0)
    spread, by_chance = float(np.sqrt(variance)), _OF_MEDIAN / float(np.sqrt(2.0 * len(away)))
    if spreads <= 1.0 + _SURE * by_chance:
        return OwnColour(pooled, middle, spread)
    return OwnColour(pooled, middle, spread, by_chance * (variance + float(np.median(error**2))) / spread)


class _Tops(NamedTuple):
    """Where the likelihood of the exponent is highest, its bend and its height there."""

    place: Array
    bend: Array
    log_l: Array


class NearColours:
    """Whiteners of exponents around the pooled one, for the first reads of a common grid.

    Parameters
    ----------
    pulses : ndarray of int
        The common grid.
    colour : NoiseColour
        The pooled one.
    """

    def __init__(self, pulses: NDArray[np.int64], colour: NoiseColour) -> None:
        self.pooled = float(colour.exponent or 0.0)
        low, high = max(EXPONENTS[0], self.pooled - _REACH), min(EXPONENTS[1], self.pooled + _REACH)
        # none of the reads that are means of several
        single = len(pulses) if colour.averaged is None else int(np.searchsorted(pulses, colour.averaged.first))
        self.pulses = pulses[: min(single, _MOST_READS)]
        self.middle, self.step = 0.5 * (low + high), 0.5 * (high - low)
        self._colour = replace(colour, averaged=None)
        self._whiteners: dict[int, Whitener] = {}

    def whitener(self, place: int) -> Whitener:
        """Of the exponent `place` steps from the middle, made when it is first asked for."""
        if place not in self._whiteners:
            exponent = self.middle + place * self.step
            self._whiteners[place] = Whitener(self.pulses, replace(self._colour, exponent=exponent))
        return self._whiteners[place]

    def exponents_of(self, dictionary: Dictionary, devices: Sequence[ScannedDevice]) -> tuple[Array, Array]:
        """Most likely exponent of each device less the pooled one, and its standard error.

        Parameters
        ----------
        dictionary : Dictionary
            Of the pooled colour, for reads of this grid.
        devices : sequence of ScannedDevice
            Scanned with it.
        """
        top = self._tops(dictionary, devices)
        return self.middle - self.pooled + self.step * top.place, self.step / np.sqrt(top.bend)

    def log_likelihood(self, dictionary: Dictionary, devices: Sequence[ScannedDevice]) -> float:
        """Of all these devices, each with its most likely exponent."""
        return float(self._tops(dictionary, devices).log_l.sum())

    def _tops(self, dictionary: Dictionary, devices: Sequence[ScannedDevice]) -> _Tops:
        pulses = dictionary.whitener.pulses
        n = int(np.searchsorted(pulses, self.pulses[-1], side="right"))
        left = left_of(dictionary, devices)[:, :n]
        place, (top, bend, log_l) = np.zeros(len(left), dtype=int), np.ones((3, len(left)))
        looked_at = np.arange(len(left))
        for _ in range(_MOST_MOVES):
            found = self._parabola(pulses[:n], left[looked_at], place[looked_at])
            top[looked_at], bend[looked_at], log_l[looked_at] = found
            # a parabola tells the top only near the place where it was taken: further off it is taken again
            further = place + np.sign(top).astype(int)
            looked_at = looked_at[(np.abs(top) > 1.0)[looked_at] & self._inside(further)[looked_at]]
            if not len(looked_at):
                break
            place[looked_at] = further[looked_at]
        return _Tops(place + np.clip(top, -4.0, 4.0), bend, log_l)

    def _inside(self, place: NDArray[np.int64]) -> NDArray[np.bool_]:
        least, most = (self.middle + self.step * (place + side) for side in (-1, 1))
        return np.asarray((least > EXPONENTS[0] - _ROUNDING) & (most < EXPONENTS[1] + _ROUNDING))

    def _parabola(self, pulses: NDArray[np.int64], left: Array, place: NDArray[np.int64]) -> _Tops:
        """Of each trace's likelihood around its place; the top in steps from there."""
        log_l = np.empty((3, len(left)))
        for at in np.unique(place).tolist():
            rows = np.flatnonzero(place == at)
            for side in (-1, 0, 1):
                log_l[side + 1, rows] = _log_likelihood(self.whitener(at + side).at(pulses), left[rows])
        bend = np.maximum(2.0 * log_l[1] - log_l[2] - log_l[0], self.step**2)  # an exponent is known to 1 at worst
        top = 0.5 * (log_l[2] - log_l[0]) / bend
        return _Tops(top, bend, log_l[1] + 0.5 * bend * np.minimum(np.abs(top), 1.0) ** 2)


def left_of(dictionary: Dictionary, devices: Sequence[ScannedDevice]) -> Array:
    """What drift and telegraph noise leave of each trace, not whitened."""
    basis, t = dictionary.basis, dictionary.whitener.pulses.astype(np.float64)
    base, left = basis.columns(t), np.stack([one.log_ratio for one in devices])
    knees = [device.configuration.knee for device in devices]
    places = [knee - dictionary.profiles.start for knee in knees if knee is not None]
    profiles = iter(basis.profile(t, dictionary.grid[places]).T)  # in one go: a closed form is slow to work out
    for row, device, knee in zip(left, devices, knees, strict=True):
        by_column = _coefficients(dictionary, device, knee)
        row -= base @ by_column[: base.shape[1]]
        steps = by_column[base.shape[1] : base.shape[1] + len(device.design.steps)]
        for read, size in zip(device.design.steps, steps.tolist(), strict=True):
            row[read:] -= size
        if knee is not None:
            row -= by_column[-1] * next(profiles)
    return left


def _coefficients(dictionary: Dictionary, device: ScannedDevice, knee: int | None) -> Array:
    """Of base, steps (two levels where they alternate) and profile."""
    design = device.design
    (p, q), more = design.mix.shape, int(knee is not None)
    mix = np.zeros((p + more, q + more))
    mix[:p, :q] = design.mix
    mix[p:, q:] = 1.0
    columns = np.asarray([*design.fixed, *([] if knee is None else [knee])])
    gram = mix.T @ dictionary.gram[columns[:, None], columns] @ mix
    return np.asarray(mix @ np.linalg.solve(gram, mix.T @ device.products[columns]))


def _log_likelihood(whitener: Whitener, left: Array) -> Array:
    """ln L of each trace of residuals, maximised over alpha."""
    white = whitener.rows(left)
    squares = np.array([float(row @ row) for row in white])
    n = left.shape[1]
    return np.asarray(-0.5 * (n * np.log(squares / n) + whitener.log_det))
