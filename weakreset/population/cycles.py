"""Cycle-to-cycle spread, apart from device-to-device spread: variance components of what each cycle shows.

    y_ij = mu + d_i + c_ij + e_ij,   d ~ N(0, sd_d^2),  c ~ N(0, sd_c^2),  e ~ N(0, stderr_ij^2) known

y is ln of a positive number, and one that may be negative (c1) as it is. Both spreads come from restricted maximum
likelihood (REML), with the errors of the cycles' own estimates as they are; sd_c is given only where its absence is
rejected at 5 % (one-sided likelihood ratio). Where cycles switch between telegraph levels, the level of a quiet one is
part of its c1, and the spread of c1 cannot be told. The law of a parameter then has the family found with one cycle of
each device, and the spread sd_d.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from weakreset.fitting.fit_rows import taken, those
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus
from weakreset.model import DriftShape, TruncatedLaw
from weakreset.population.result import CycleSpread, LawFit

__all__ = ["Components", "cycle_spreads", "one_cycle_each", "variance_components", "without_cycles"]

Array = NDArray[np.float64]

_LEAST_FREEDOM = 5  # a spread from fewer is uncertain by a third and more
_MOSTLY = 0.9  # else the devices whose number is known would stand for all
_LEAST_SIGMAS = 3.0  # the logarithm of a number less sure than this has no normal error
_REJECTED = 2.705543  # 95 % point of half a chi-squared: 5 %, one-sided
_FLOOR = 1e-6  # of an error, relative: an error of zero would rule every mean
_WIDEST, _POINTS, _ZOOMS = 4.0, 21, 5


@dataclass(frozen=True)
class Components:
    """The two standard deviations (`device` None with one device), error of `cycle`, and 2 ln(L / L without it)."""

    device: float | None
    cycle: float
    cycle_stderr: float
    likelihood_ratio: float

    @property
    def seen(self) -> bool:
        """Whether the spread between cycles stands out."""
        return self.likelihood_ratio > _REJECTED


def one_cycle_each(usable: Sequence[DeviceFit]) -> Sequence[DeviceFit]:
    """The first usable cycle of every device: `d#2` before `d#10`, whatever came first in the file."""
    first: dict[str, tuple[tuple[int, str], int]] = {}
    for i, fit in enumerate(usable):
        mine = ((len(fit.device), fit.device), i)
        first[fit.of_device] = min(mine, first.get(fit.of_device, mine))
    return taken(usable, [i for _, i in first.values()])


def cycle_spreads(usable: Sequence[DeviceFit], drift: DriftShape) -> dict[str, CycleSpread]:
    """The spread between cycles of each parameter, where devices have several; `sd` None where it is not seen."""
    n_devices = len({fit.of_device for fit in usable})
    if len(usable) == n_devices:
        return {}
    return {name: _spread(name, usable, drift, n_devices) for name in ("r0_ohm", *drift.parameters)}


def _spread(name: str, usable: Sequence[DeviceFit], drift: DriftShape, n_devices: int) -> CycleSpread:
    scale = "ln" if name == "r0_ohm" else drift[name].scale
    hidden = () if drift.scan is None else (drift.scan.number, drift.scan.nonnegative)
    made = CycleSpread(name, scale, None, None, None, n_devices, len(usable))
    switching = sum(fit.rtn.status != "not_detected" for fit in usable)
    if name == drift.offset and switching:
        words = f"{switching} cycles show telegraph steps, and the level of one that sits still is part of its {name}"
        return replace(made, note=f"not identifiable: {words}")
    seen = those(usable, lambda fit: name not in hidden or fit.status is FitStatus.OK)
    points = [(fit.of_device, *point) for fit in seen if (point := _point(fit.estimates[name], scale)) is not None]
    if len(points) < _MOSTLY * len(usable):
        return replace(made, note=f"not identifiable: {len(points)} of {len(usable)} cycles tell their {name}")
    if len(points) - len({device for device, _, _ in points}) < _LEAST_FREEDOM:
        return replace(made, note="not identifiable: too few cycles")
    devices, values, errors = zip(*points, strict=True)
    number = {device: i for i, device in enumerate(dict.fromkeys(devices))}  # added up in an order that no name decides
    found = variance_components(np.array(values), np.array(errors), [number[device] for device in devices])
    if not found.seen:
        return replace(made, device_sd=found.device, note="no spread between cycles stands out from the errors")
    return replace(made, sd=found.cycle, stderr=found.cycle_stderr, device_sd=found.device)


def _point(estimate: Estimate, scale: str) -> tuple[float, float] | None:
    """Value and error in the natural scale; None where the estimate does not tell."""
    value, error = estimate.value, estimate.stderr
    if value is None:
        return None
    if error is None:
        known = estimate.low is not None and estimate.high is not None and estimate.low > 0
        if known:
            return math.log(value), (math.log(estimate.high or 1.0) - math.log(estimate.low or 1.0)) / 3.92
        error = 0.0
    if scale == "linear":
        return value, error
    return (math.log(value), error / value) if value > _LEAST_SIGMAS * error and value > 0 else None


def variance_components(values: Array, errors: Array, devices: Sequence[str] | Sequence[int]) -> Components:
    """Both spreads by REML.

    Parameters
    ----------
    values, errors : ndarray, shape (n,)
        Estimates and their standard errors.
    devices : sequence of str or int, length n
    """
    _, code = np.unique(np.asarray(devices), return_inverse=True)
    size = float(np.std(values)) or 1.0
    y, e2 = (values - values.mean()) / size, np.maximum(errors / size, _FLOOR) ** 2
    several = int(code.max()) > 0
    order = np.argsort(code, kind="stable")
    y, e2, starts = y[order], e2[order], np.flatnonzero(np.diff(code[order], prepend=-1))
    counts = np.diff(np.append(starts, len(y)))

    def deviance(cycle: Array, device: Array) -> Array:
        """-2 ln L at all pairs: shape (len(cycle), len(device))."""
        w = 1.0 / (cycle[:, None] ** 2 + e2)
        total = np.add.reduceat(w, starts, axis=1)
        mean = np.add.reduceat(w * y, starts, axis=1) / total
        own = (w * (y - np.repeat(mean, counts, axis=1)) ** 2).sum(axis=1) - np.log(w).sum(axis=1)
        variance = device[None, :, None] ** 2 + 1.0 / total[:, None, :]
        weight = (1.0 / variance).sum(axis=2)
        centre = (mean[:, None, :] / variance).sum(axis=2) / weight
        between = ((mean[:, None, :] - centre[..., None]) ** 2 / variance).sum(axis=2)
        return np.asarray(own[:, None] + between + np.log(variance * total[:, None, :]).sum(axis=2) + np.log(weight))

    def best(cycle: float | None) -> tuple[float, float, float]:
        """Deviance, cycle, device at the best; `cycle` given or free. A grid, closed in on four times."""
        low, high = np.zeros(2), np.full(2, _WIDEST)
        for _ in range(_ZOOMS):
            cycles = np.linspace(low[0], high[0], _POINTS) if cycle is None else np.array([cycle])
            own = np.linspace(low[1], high[1], _POINTS) if several else np.zeros(1)
            table = deviance(cycles, own)
            i, j = np.unravel_index(int(np.argmin(table)), table.shape)
            at, step = np.array([cycles[i], own[j]]), 2.0 * (high - low) / (_POINTS - 1)
            low, high = np.maximum(at - step, 0.0), at + step
        return float(table[i, j]), float(at[0]), float(at[1])

    lowest, cycle, device = best(None)
    ratio = max(best(0.0)[0] - lowest, 0.0)
    h = max(0.2 * cycle, 1e-3)
    curvature = (best(cycle + h)[0] - 2 * lowest + best(max(cycle - h, 0.0))[0]) / h**2
    stderr = math.sqrt(2.0 / curvature) if curvature > 0 else math.inf
    return Components(device * size if several else None, cycle * size, stderr * size, ratio)


def without_cycles(laws: Mapping[str, LawFit], spreads: Mapping[str, CycleSpread]) -> dict[str, LawFit]:
    """The laws with the spread between devices alone, where a spread between cycles was found."""
    return {
        name: _of_devices(law, spreads[name]) if name in spreads and spreads[name].sd is not None else law
        for name, law in laws.items()
    }


def _of_devices(fit: LawFit, spread: CycleSpread) -> LawFit:
    sd = spread.device_sd or 0.0
    words = f"spread between devices alone; between cycles: sd {spread.sd:.3g} ({spread.scale})"
    note = "; ".join(filter(None, [fit.note, words]))
    median = fit.law.median()
    if sd <= 1e-3 * (spread.sd or 0.0):
        law = TruncatedLaw("constant", {"value": median})
        note += "; no spread between devices stands out from it"
        return replace(fit, law=law, stderr={}, interval={}, goodness_of_fit=(), note=note)
    law = _with_spread(fit.law, median, sd)
    return replace(fit, law=law, stderr={}, interval={}, goodness_of_fit=(), note=note)


def _with_spread(law: TruncatedLaw, median: float, sd: float) -> TruncatedLaw:
    """The family (an exponential is a gamma law) with standard deviation `sd` of its logarithm (normal: of itself)."""
    low, high = law.lower, law.upper
    if law.family == "lognorm":
        return TruncatedLaw("lognorm", {"s": sd, "scale": median}, low, high)
    if law.family == "norm":
        linear = sd if low == -math.inf else sd * median
        return TruncatedLaw("norm", {"mean": median, "sd": linear}, low, high)
    if law.family == "weibull":
        shape = math.pi / math.sqrt(6.0) / sd
        return TruncatedLaw("weibull", {"shape": shape, "scale": median / math.log(2.0) ** (1.0 / shape)}, low, high)
    if law.family in ("gamma", "expon"):
        shape = math.exp(float(optimize.brentq(lambda k: special.polygamma(1, math.exp(k)) - sd**2, -5.0, 20.0)))
        scale = median / float(special.gammaincinv(shape, 0.5))
        return TruncatedLaw("gamma", {"shape": shape, "scale": scale}, low, high)
    return law
