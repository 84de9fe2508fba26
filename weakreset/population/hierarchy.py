"""Likelihood of the D2D laws given all devices, what no device knows about itself integrated out.

    L(laws) = prod_i [ Z_i mean_k prod_p law_p(draw_ik)  +  P(knee > last_i) mean_j prod_q law_q(draw_ij) ]

The draws come from each device's own likelihood (`LikelihoodDraws`). The second term is the case that the
knee lies beyond the trace; q are the numbers that are seen even then. A device without telegraph steps may also have
sat in the high state throughout; then its offset (c1) holds a telegraph amplitude too, which the `stuck` mixture
allows for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from weakreset.model import TruncatedLaw
from weakreset.population.device_draws import DeviceDraws
from weakreset.population.families import FreeLaw
from weakreset.population.maximum import Likelihood, Objective
from weakreset.population.slopes import FORWARD_STEP, SLOPES, laws_at, nudged_law, weighted_difference

__all__ = ["Hierarchy"]

Array = NDArray[np.float64]
Behind = tuple[Array, Array | None, Array | None]
"""ln density of a law at the draws inside and beyond; ln of the mass beyond each trace where it is the law of knees."""

_FLOOR = -50.0  # of ln likelihood a device: one that no law explains must not rule the others


class Hierarchy(DeviceDraws, Likelihood):
    """The likelihood of laws given the draws of all devices."""

    def between_halves(self, laws: Mapping[str, TruncatedLaw]) -> Array:
        """ln L of each device by every second draw, less that by the others: what the draws leave open."""
        both = []
        for start in (0, 1):
            half = self.part((slice(None), slice(start, None, 2)))
            densities = {name: half.log_density(name, law) for name, law in laws.items()}
            both.append(half._each(densities, half.log_beyond(laws.get(self.shape.knee)))[0])
        return np.asarray(both[0] - both[1])

    def log_density(self, name: str, law: TruncatedLaw) -> tuple[Array, Array | None]:
        """ln law at the draws inside and beyond."""
        beyond = self._stuck_aware(name, law, self.beyond[name]) if name in self.beyond else None
        return self._stuck_aware(name, law, self.inside[name]), beyond

    def _stuck_aware(self, name: str, law: TruncatedLaw, values: Array) -> Array:
        density = law.logpdf(values)
        if name != self.shape.offset or not self.may_be_stuck.any():
            return density
        density[self.may_be_stuck] += self.stuck.log_factor(law, values[self.may_be_stuck])
        return density

    def log_beyond(self, law: TruncatedLaw | None) -> Array:
        """ln P(knee > last read) of each device; -inf where the shape has no such case."""
        if law is None or not self.beyond:
            return np.full(len(self.log_z), -np.inf)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(1.0 - law.cdf(self.last)))

    def combine(
        self, densities: Mapping[str, tuple[Array, Array | None]], log_beyond: Array
    ) -> tuple[float, Array, Array, Array]:
        """ln L, posterior weight of each draw inside and beyond, posterior chance of "beyond" (times counts)."""
        each, la, lb, weight, beyond_weight = self._each(densities, log_beyond)
        floored = each <= _FLOOR  # its ln L is a constant there, so it pulls at no law
        with np.errstate(invalid="ignore"):
            chance = self.counts * np.where(floored, 0.0, np.exp(lb - each))
            certain = self.counts * np.where(floored, 0.0, np.exp(la - each))
        weight *= certain[:, None]
        beyond_weight *= chance[:, None]
        return float(self.counts @ each), weight, beyond_weight, chance

    def _each(
        self, densities: Mapping[str, tuple[Array, Array | None]], log_beyond: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        """ln L of each device, of the cases inside and beyond apart, and the weights of draws in each case."""
        inside = _sum([density for density, _ in densities.values()])
        if self.untilted is not None:
            inside += self.untilted
        la, weight = _log_mean_exp(inside)
        la = la + self.log_z
        if self.beyond:
            lb, beyond_weight = _log_mean_exp(_sum([d for _, d in densities.values() if d is not None]))
            lb = lb + log_beyond
        else:
            lb, beyond_weight = np.full(len(la), -np.inf), np.zeros((len(la), 1))
        return np.maximum(np.logaddexp(la, lb), _FLOOR), la, lb, weight, beyond_weight

    def _together(self, laws: Mapping[str, TruncatedLaw]) -> dict[str, tuple[Array, Array | None]]:
        """Densities of laws that stay as they are, summed once."""
        parts = [self.log_density(name, law) for name, law in laws.items()]
        if not parts:
            return {}
        beyond = [behind for _, behind in parts if behind is not None]
        return {"": (_sum([ahead for ahead, _ in parts]), _sum(beyond) if beyond else None)}

    def posterior(self, laws: Mapping[str, TruncatedLaw]) -> tuple[Array, Array]:
        """Posterior weight of each draw, inside and beyond; they sum to a device's count over both."""
        densities = {name: self.log_density(name, law) for name, law in laws.items()}
        _, inside, beyond, _ = self.combine(densities, self.log_beyond(laws.get(self.shape.knee)))
        return inside, beyond

    def log_likelihood(self, laws: Mapping[str, TruncatedLaw]) -> float:
        densities = {name: self.log_density(name, law) for name, law in laws.items()}
        return self.combine(densities, self.log_beyond(laws.get(self.shape.knee)))[0]

    def of_one_law(self, name: str, laws: Mapping[str, TruncatedLaw]) -> Callable[[TruncatedLaw], float]:
        """ln L as a function of the law of `name`, the others as they are."""
        still = self._together({key: law for key, law in laws.items() if key != name})
        knee = self.shape.knee

        def log_likelihood(law: TruncatedLaw) -> float:
            log_beyond = self.log_beyond(law if name == knee else laws.get(knee))
            return self.combine({**still, name: self.log_density(name, law)}, log_beyond)[0]

        return log_likelihood

    def __iter__(self) -> Iterator[Hierarchy]:
        yield self

    def mapped(self, change: Callable[[Hierarchy], Hierarchy]) -> Hierarchy:
        return change(self)

    def objective(
        self, moving: Sequence[str], free: Mapping[str, FreeLaw], start: Mapping[str, TruncatedLaw]
    ) -> Objective:
        still = self._together({name: law for name, law in start.items() if name not in moving})
        return lambda x, scale: self._objective(x, scale, moving, free, start, still)

    def _objective(
        self, x: Array, scale: Array, moving: Sequence[str], free: Mapping[str, FreeLaw],
        start: Mapping[str, TruncatedLaw], still: Mapping[str, tuple[Array, Array | None]],
    ) -> tuple[float, Array]:
        """-ln L and its gradient by the scaled coordinates."""
        try:
            laws = laws_at(x, moving, free)
        except (ValueError, OverflowError):
            return 1e12, np.zeros(len(x))  # no such law: a wall that the line search turns back from
        densities = dict(still) | {name: self.log_density(name, law) for name, law in laws.items()}
        knee = laws.get(self.shape.knee, start.get(self.shape.knee))
        log_beyond = self.log_beyond(knee)
        total, *weights = self.combine(densities, log_beyond)
        gradient: list[float] = []
        for name in moving:
            tail = log_beyond if name == self.shape.knee else None
            at = slice(len(gradient), len(gradient) + len(free[name].free))
            gradient += self._by_law(name, free[name], x[at], scale[at], (*densities[name], tail), weights)
        return -total, -np.array(gradient)

    def _by_law(
        self, name: str, free: FreeLaw, x: Array, scale: Array, behind: Behind, weights: Sequence[Array]
    ) -> list[float]:
        """Gradient of ln L by the scaled coordinates `x` of one law, through its density, which is `behind` there."""
        law = free.law(x)
        ahead = [nudged_law(free, x, i, FORWARD_STEP * step) for i, step in enumerate(scale)]
        slopes = self._slopes(name, law, weights)
        if slopes is None:
            return [self._moved(name, moved, behind, weights) / FORWARD_STEP for moved in ahead]
        limits = [self._limits_moved(name, moved, law, behind, weights) / FORWARD_STEP for moved in ahead]
        return [slopes[n] * step + limit for n, step, limit in zip(free.free, scale, limits, strict=True)]

    def _slopes(self, name: str, law: TruncatedLaw, weights: Sequence[Array]) -> dict[str, float] | None:
        """Weighted sums over all draws of the slopes of ln law, limits apart; None where only a nudge tells them."""
        if law.family not in SLOPES:
            return None
        sums: dict[str, float] = {}
        for draws, logs, weight in zip((self.inside, self.beyond), self.logs, weights[:2], strict=True):
            if name not in draws:
                continue
            with np.errstate(over="ignore", invalid="ignore"):
                slopes = SLOPES[law.family](draws[name], logs[name], law.params)
            if name == self.shape.offset and self.may_be_stuck.any():
                stuck = self.stuck.slopes(law, draws[name][self.may_be_stuck])
                if stuck is None:
                    return None
                for number, slope in stuck.items():
                    slopes[number][self.may_be_stuck] += slope
            for number, slope in slopes.items():
                sums[number] = sums.get(number, 0.0) + float(np.vdot(weight, slope))
        # a law as narrow as an optimizer may try on its way: nudging leaves out the draws that have no weight
        return sums if all(map(math.isfinite, sums.values())) else None

    def _limits_moved(
        self, name: str, ahead: TruncatedLaw, law: TruncatedLaw, behind: Behind, weights: Sequence[Array]
    ) -> float:
        """What ln L changes by through the mass between the limits of a law, and that of knees beyond the trace."""
        cases = zip(weights, (self.inside, self.beyond), strict=False)
        moved = (law.log_mass - ahead.log_mass) * sum(float(weight.sum()) for weight, draws in cases if name in draws)
        if behind[2] is not None and self.beyond:
            moved += weighted_difference(weights[2], self.log_beyond(ahead), behind[2])
        return moved

    def _moved(self, name: str, ahead: TruncatedLaw, behind: Behind, weights: Sequence[Array]) -> float:
        """What ln L changes by from densities `behind` to those of the law `ahead`."""
        there = (*self.log_density(name, ahead), None if behind[2] is None else self.log_beyond(ahead))
        return sum(
            weighted_difference(weight, new, old)
            for weight, new, old in zip(weights, there, behind, strict=True) if new is not None and old is not None
        )


def _sum(arrays: Sequence[Array]) -> Array:
    """The sum, an array of its own."""
    total = arrays[0].copy()
    for array in arrays[1:]:
        total += array
    return total


def _log_mean_exp(values: Array) -> tuple[Array, Array]:
    """ln mean exp over the last axis, and the normalised weights, which take the place of `values`."""
    top = values.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    values -= top
    raw = np.exp(values, out=values)
    total = raw.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        mean = top[:, 0] + np.log(total[:, 0] / values.shape[1])
    raw /= np.where(total > 0, total, 1.0)
    return mean, raw
