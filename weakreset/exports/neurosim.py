"""The numbers that users of NeuroSim type into its parameter files: one curve, its spread, white steps.

NeuroSim's curve over P pulses is (1 - exp(-x / A)) / (1 - exp(-1 / A)), x = pulse / P, between two conductances.
(Chen, Peng, Yu, IEEE TCAD 37, 3067, 2018.) Its label of nonlinearity is a multiple of how far that curve lies from a
straight line at most: `_LABEL` was measured on its own table of (label, A), which it follows within 3e-4.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import UsageError
from weakreset.exports.target import ExportSettings, Target, header, noise_words
from weakreset.model import D2D, Devices
from weakreset.parameter_file import ParameterFile
from weakreset.twin import simulate_population

__all__ = ["NEUROSIM", "curve", "label_of"]

Array = NDArray[np.float64]

_LABEL = 10.10153
_STRAIGHT = 500.0  # A of label 0.0025: its table ends at 0.01
_FEWEST_PULSES = 10


def curve(x: Array, steepness: Array) -> Array:
    """NeuroSim's normalised curve; `steepness` is 1 / A, negative where steps grow."""
    # never a straight line exactly, where the curve is 0 / 0
    tiny = np.where(np.abs(steepness) < 1 / _STRAIGHT, np.copysign(1 / _STRAIGHT, steepness), steepness)
    return np.asarray(np.expm1(-x * tiny) / np.expm1(-tiny))


def label_of(steepness: Array) -> Array:
    """Label of nonlinearity: where the slope of the curve is that of the straight line it is farthest from it."""
    size = np.maximum(np.abs(steepness), 1 / _STRAIGHT)
    at = np.log(size / -np.expm1(-size)) / size  # where the derivative of the curve is 1
    return np.asarray(np.copysign(_LABEL * (curve(at, size) - at), steepness))


def _steepness(x: Array, fallen: Array) -> Array:
    """Least squares, for every row of `fallen` (0 to 1); labels -9 to 9, as far as the table of NeuroSim goes."""
    candidates = np.sinh(np.linspace(-np.arcsinh(43.8), np.arcsinh(43.8), 801))
    curves = curve(x[None, :], candidates[:, None])
    # |curve - data|^2 without |data|^2, which is the same for all candidates
    misses = (curves**2).sum(axis=1) - 2.0 * fallen @ curves.T
    return np.asarray(candidates[np.argmin(misses, axis=1)])


def _write(params: ParameterFile, settings: ExportSettings) -> str:
    if settings.pulses < _FEWEST_PULSES:
        raise UsageError(f"--pulses {settings.pulses}: a curve needs at least {_FEWEST_PULSES}")
    typical = simulate_population(params, 1, settings.pulses, settings.seed, (D2D,))
    seen = simulate_population(params, settings.devices, settings.pulses, settings.seed)
    drift = _without_offset(seen.devices, seen.pulses)
    middle = np.exp(-_without_offset(typical.devices, seen.pulses)[0])
    if middle[-1] == 1.0 or not np.all(drift[:, -1]):
        raise UsageError(f"{params.name}: devices that do not move in {settings.pulses} pulses have no such curve")
    x = seen.pulses / settings.pulses
    follows = 1.0 + (middle[-1] - 1.0) * curve(x, _steepness(x, _share_done(middle[None]))[0])
    labels = label_of(_steepness(x, _share_done(np.exp(-drift))))
    noise = seen.log_ratio[:, 1:] - seen.devices.mean_log_ratio(seen.pulses[1:])
    # what noise adds to the conductance, from one pulse to the next: NeuroSim draws a white number a step
    steps = np.diff(np.exp(-drift[:, 1:]) * np.expm1(-noise), axis=1)
    ends = sorted((middle[-1] / typical.devices.r0_ohm[0], 1.0 / typical.devices.r0_ohm[0]))
    side = "LTD" if middle[-1] < 1.0 else "LTP"  # R rises: conductance falls, which is depression
    numbers = {
        "maxConductance": (ends[1], "S, typical device"),
        "minConductance": (ends[0], f"S, typical device; {settings.pulses} pulses lie between the two"),
        f"maxNumLevel{side}": (settings.pulses, "pulses"),
        f"nonlinearity{side}": (label_of(_steepness(x, _share_done(middle[None])))[0], "label; > 0: steps shrink"),
        "d2dVari": (labels.std(), f"standard deviation of the label over {len(labels)} drawn devices"),
        "c2cVari": (steps.std() / abs(middle[-1] - 1.0), "sd of the noise of a step, as a share of max - min"),
    }
    return _text(params, settings, numbers, side, _rms(np.log(follows / middle)), _rms(np.log(follows) + drift))


def _without_offset(devices: Devices, pulses: NDArray[np.int64]) -> Array:
    """Drift of every device from 0 at no pulse; the first pulse's offset would be a level of its own."""
    shape = devices.shape
    rising = replace(devices, drift={**devices.drift, shape.offset: np.zeros(len(devices))})
    return np.concatenate([np.zeros((len(devices), 1)), rising.mean_log_ratio(pulses[1:])], axis=1)


def _share_done(conductance: Array) -> Array:
    """From 0 at the first pulse to 1 at the last, of every row."""
    first = conductance[:, :1]
    return np.asarray((conductance - first) / (conductance[:, -1:] - first))


def _rms(miss: Array) -> float:
    return float(np.sqrt(np.mean(miss**2)))


def _text(
    params: ParameterFile, settings: ExportSettings, numbers: dict[str, tuple[float, str]], side: str,
    typical: float, each: float,
) -> str:
    other = "LTP" if side == "LTD" else "LTD"
    error = [
        f"this curve lies {typical:.2g} (root mean square of ln R, {settings.pulses} pulses) beside the typical device",
        f"as the curve of every device it lies {each:.2g} beside theirs ({settings.devices} drawn devices)",
    ]
    left_out = [
        f"nonlinearity{other}: this file has pulses in one direction only; the other is one strong pulse",
        "the spread of R0 and of how far devices move: all of NeuroSim's have the same two conductances",
        f"memory of the noise: {noise_words(params)} become white steps of the same size (c2cVari)",
        "an offset of the first pulse, and correlations between the numbers of a device",
        "signs: some versions of NeuroSim write nonlinearityLTD with a minus sign",
    ]
    lines = [f"# {line}" for line in header(params, "numbers for NeuroSim", settings, error, left_out)]
    lines += [f"{name} = {float(value):.6g}  # {words}" for name, (value, words) in numbers.items()]
    return "\n".join(lines) + "\n"


NEUROSIM = Target("neurosim", (".txt",), 1000, _write)
