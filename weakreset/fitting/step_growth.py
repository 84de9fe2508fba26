"""Telegraph steps whose size grows with the resistance: A (1 + g ln(R/R0)) instead of A.

A device that sits in the high state then drifts by 1 + g A times its own slope. Nothing in its trace tells that from
a steeper device, so slopes come out too large by several of their errors. Devices that switch during the trace do
tell: the size of their steps, and the slope before and after them. So g is one number of the whole set, looked for with
a score test over the devices that switch, and fitted by Gauss-Newton with each device's own numbers; then every trace
is fitted again without what its steps have grown by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.group import Group
from weakreset.fitting.model_columns import model_columns
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import SHAPES

__all__ = ["SEEN_Z", "StepGrowth", "grown_parts", "step_growth", "with_growth", "without_growth"]

Array = NDArray[np.float64]
_Look = tuple[Array, Array, Array]

SEEN_Z = 2.6
"""Steps of constant size show a growth in less than one set of 100: a standard normal farther from 0 than this."""

_PROMISING_Z = 1.2
_LEAST_DEVICES = 5
_MOST_DEVICES = 64
_ROUNDS = 6
_BLOCKS = 20
_LEAST_TOLD = 1e-2


@dataclass(frozen=True)
class StepGrowth:
    """How telegraph amplitudes grow with ln R, over a set.

    Attributes
    ----------
    value : float
        g, per unit of ln(R/R0); 0 where no growth is seen.
    stderr : float
        Where none is seen, how large it may be nevertheless: the root mean square of its posterior, a normal prior of
        unit variance assumed.
    z : float
        Growth over its standard error.
    n_devices : int
        Devices that switch and were looked at.
    """

    value: float = 0.0
    stderr: float = 0.0
    z: float = 0.0
    n_devices: int = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to say of it; nothing where none is seen."""
        if not self.value:
            return ()
        return (
            f"telegraph steps change with the resistance: A (1 {self.value:+.2g} ln(R/R0)), standard error "
            f"{self.stderr:.1g} (z = {self.z:.1f} over {self.n_devices} devices that switch; {SEEN_Z} is exceeded by "
            "chance in one set of 100). Drift is fitted without it; the errors of devices that show no step, and may "
            "sit in the high state, allow for it",
        )


class _Switching:
    """One device that switches: its numbers, and the whitened columns they move."""

    def __init__(self, fit: DeviceFit, whitener: Whitener) -> None:
        self.fit, self.whitener = fit, whitener
        self.t = fit.pulses.astype(np.float64)
        self.shape = SHAPES[fit.fitted_as]
        names, self.raw = model_columns(fit)
        self.start = np.array([float(fit.result.params[name].value) for name in names])
        self.values = self.start.copy()
        self.drift = [name for name in self.shape.parameters if name not in self.shape.shared]
        self.n_drift = len(self.drift)
        self.knee = names.index(self.shape.knee) if self.shape.knee in names else None

    def numbers(self) -> list[float]:
        """Of the drift; those that all devices share stay where they are."""
        own = dict(zip(self.drift, self.values.tolist(), strict=False))
        return [own.get(name, self.fit.numbers.get(name, 0.0)) for name in self.shape.parameters]

    def parts(self) -> tuple[Array, Array]:
        """Drift, and level above the lowest telegraph state, at the reads."""
        drift = self.shape.value(self.t, *self.numbers())
        offset = self.raw[:, self.n_drift :] @ self.values[self.n_drift :]
        return drift, offset

    def look(self, growth: float) -> _Look:
        """Whitened columns of the device's own numbers, of g, and residuals, in units of alpha."""
        drift, offset = self.parts()
        level = offset - min(offset.min(), 0.0)
        size = np.maximum(1.0 + growth * drift, 0.0)
        at = self.numbers()
        own = np.column_stack([self.shape.derivative(name, self.t, *at) for name in self.drift])
        own *= (1.0 + growth * level)[:, None]
        steps = self.raw[:, self.n_drift :] * size[:, None]
        left = self.fit.log_ratio - drift - offset - self.grown(growth)
        white = self.whitener.columns(np.column_stack([own, steps, level * drift, left])) / self.fit.alpha_used
        return white[:, :-2], white[:, -2], white[:, -1]

    def grown(self, growth: float) -> Array:
        """What the steps have grown by."""
        drift, offset = self.parts()
        return np.asarray((offset - min(offset.min(), 0.0)) * (np.maximum(1.0 + growth * drift, 0.0) - 1.0))

    def move(self, by: Array) -> None:
        """A step of Gauss-Newton."""
        self.values = self.values + by
        if self.knee is not None:
            self.values[self.knee] = np.clip(self.values[self.knee], self.t[2], self.t[-1])


def step_growth(fits: Sequence[DeviceFit]) -> StepGrowth:
    """Growth of the steps of a set; its value is 0 unless the test shows it.

    Parameters
    ----------
    fits : sequence of DeviceFit
        Fitted with steps of constant size.
    """
    devices = _switching(fits, _MOST_DEVICES)
    looks = [device.look(0.0) for device in devices]
    growth, error = _pooled(looks)
    if not np.isfinite(error):
        return StepGrowth(n_devices=len(devices))
    if abs(growth) > _PROMISING_Z * error:
        first = growth
        growth, error = _fitted(devices, looks)
        growth = growth if growth * first > 0 else 0.0  # Gauss-Newton that turned round has lost its way
    z = growth / error
    if abs(z) > SEEN_Z:
        return StepGrowth(growth, error, z, len(devices))
    known = 1.0 / (1.0 + error**2)
    return StepGrowth(0.0, float(np.hypot(growth * known, error * np.sqrt(known))), z, len(devices))


def _fitted(devices: Sequence[_Switching], looks: Sequence[_Look]) -> tuple[float, float]:
    """Growth and its standard error by Gauss-Newton, each device's own numbers moving along."""
    growth = 0.0
    for _ in range(_ROUNDS):
        more, _ = _pooled(looks)
        growth += more
        for device, (own, by_growth, left) in zip(devices, looks, strict=True):
            device.move(np.asarray(np.linalg.lstsq(own, left - more * by_growth, rcond=None)[0]))
        looks = [device.look(growth) for device in devices]
    more, error = _pooled(looks)
    return growth + more, error


def _switching(fits: Sequence[DeviceFit], most: int | None = None) -> list[_Switching]:
    """Up to `most` devices with steps, evenly spaced among them; all of them unless given."""
    known = [fit for fit in fits if _switches(fit)]
    some = known if most is None else known[:: -(-len(known) // most) or 1]
    found = []
    by_colour: dict[NoiseColour, list[DeviceFit]] = {}
    for fit in some:
        by_colour.setdefault(fit.colour, []).append(fit)
    for colour, same in by_colour.items():
        for common, members in common_grids([fit.pulses for fit in same]):
            whitener = Whitener(common, colour)
            found += [_Switching(same[i], whitener.at(same[i].pulses)) for i in members]
    return found


def _switches(fit: DeviceFit) -> bool:
    return bool(fit.rtn.steps and fit.result is not None and fit.result.success)


@lru_cache(maxsize=8)
def _own_whitener(pulses: bytes, colour: NoiseColour) -> Whitener:
    return Whitener(np.frombuffer(pulses, dtype=np.int64), colour)


def _pooled(looks: Sequence[_Look]) -> tuple[float, float]:
    """How much further the growth is, over all devices, and its standard error; an infinite one where none tells.

    A device whose steps were misread leaves residuals that are not white, so each one's error is that of blocks of its
    residuals where that is the larger. Devices may differ by more than their errors (random effects: DerSimonian and
    Laird 1986).
    """
    found, variances = [], []
    for own, by_growth, left in looks:
        q, _ = np.linalg.qr(own)
        alone = by_growth - q @ (q.T @ by_growth)
        told = float(alone @ alone)
        if told > _LEAST_TOLD:
            sums = np.add.reduceat(alone * left, np.linspace(0, len(left), _BLOCKS + 1).astype(int)[:-1])
            found.append(float(alone @ left) / told)
            variances.append(max(told, float(sums @ sums)) / told**2)
    if len(found) < _LEAST_DEVICES:
        return 0.0, np.inf
    estimates, variance = np.array(found), np.array(variances)
    weight = 1.0 / variance
    mean = float(weight @ estimates / weight.sum())
    excess = float(weight @ (estimates - mean) ** 2) - (len(found) - 1)
    between = max(0.0, excess / float(weight.sum() - (weight @ weight) / weight.sum()))
    weight = 1.0 / (variance + between)
    return float(weight @ estimates / weight.sum()), float(1.0 / np.sqrt(weight.sum()))


def grown_parts(fits: Sequence[DeviceFit], growth: StepGrowth) -> dict[str, Array]:
    """What the steps of each device that has some have grown by, at its reads; by device."""
    if not growth.value:
        return {}
    # each with a whitener of its own reads: which others are looked at moves no bit
    devices = [_Switching(fit, _own_whitener(fit.pulses.tobytes(), fit.colour)) for fit in fits if _switches(fit)]
    for device in devices:
        # with steps of constant size A came out too large by what they grow to on average
        for _ in range(_ROUNDS):
            own, _, left = device.look(growth.value)
            device.move(np.asarray(np.linalg.lstsq(own, left, rcond=None)[0]))
    return {device.fit.device: device.grown(growth.value) for device in devices}


def without_growth(groups: Sequence[Group], parts: dict[str, Array]) -> list[Group]:
    """The groups less what their steps have grown by."""
    nothing = np.zeros(1)
    return [
        replace(group, rows=group.rows - np.stack([
            np.broadcast_to(parts.get(trace.key, nothing), group.rows.shape[1]) for trace in group.traces
        ]))
        for group in groups
    ]


def with_growth(fit: DeviceFit, growth: StepGrowth, parts: dict[str, Array]) -> DeviceFit:
    """The fit of a trace without growth as one of the trace as read."""
    log_ratio = fit.log_ratio + parts[fit.device] if fit.device in parts else fit.log_ratio
    return replace(fit, log_ratio=log_ratio, rtn=replace(fit.rtn, growth=growth.value))
