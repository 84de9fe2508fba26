"""Likelihood of the D2D laws given all devices, what no device knows about itself integrated out.

    L(laws) = prod_i [ Z_i mean_k prod_p law_p(draw_ik)  +  P(knee > last_i) mean_j prod_q law_q(draw_ij) ]

The draws come from each device's own likelihood (`LikelihoodDraws`). The second term is the case that the
knee lies beyond the trace; q are the numbers that are seen even then. A device without telegraph steps may also have
sat in the high state throughout; then its offset (c1) holds a telegraph amplitude too, which the `stuck` mixture
allows for.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.fitting.result import DeviceFit
from weakreset.model import TruncatedLaw
from weakreset.population.families import FreeLaw

__all__ = ["FORWARD_STEP", "Hierarchy", "StuckHigh", "laws_at", "nudged_law", "weighted_difference"]

Array = NDArray[np.float64]

_FLOOR = -50.0  # of ln likelihood a device: one that no law explains must not rule the others
_SCALED_BOX = 60.0  # in units of each number's scale: never an answer, but an end of the search
_LARGEST_EXPONENT = 700.0
FORWARD_STEP = 1e-6
"""Of a scaled coordinate, for gradients: wrong by a millionth of the curvature, and half the work of a central step."""


@dataclass(frozen=True)
class StuckHigh:
    """Chance that a device without steps sat in the high state, and quantiles of its amplitude."""

    probability: float = 0.0
    amplitudes: tuple[float, ...] = ()


class Hierarchy:
    """All devices' draws in arrays, and the likelihood of laws given them.

    Parameters
    ----------
    draws : sequence of LikelihoodDraws
        A device each; all of the same drift shape.
    stuck : StuckHigh
    may_be_stuck : ndarray of bool, shape (n_devices,), optional
        Devices without telegraph steps; none unless given.
    """

    def __init__(
        self, draws: Sequence[LikelihoodDraws], stuck: StuckHigh | None = None,
        may_be_stuck: NDArray[np.bool_] | None = None,
    ) -> None:
        self.shape = draws[0].shape
        self.names = draws[0].names
        # kept in single precision, worked with in double: `_LARGEST_EXPONENT` is that of double precision
        inside = np.stack([draw.inside for draw in draws]).astype(np.float64)
        self.inside = {name: np.ascontiguousarray(inside[..., i]) for i, name in enumerate(self.names)}
        self.untilted = self._untilted(np.array([draw.tilt for draw in draws]))
        self.log_z = np.array([draw.log_z for draw in draws])
        self.last = np.array([draw.last for draw in draws])
        self.beyond: dict[str, Array] = {}
        if all(draw.beyond is not None for draw in draws):
            hidden = np.stack([draw.beyond for draw in draws if draw.beyond is not None]).astype(np.float64)
            self.beyond = {name: np.ascontiguousarray(hidden[..., i]) for i, name in enumerate(draws[0].names_beyond)}
        self.stuck = stuck or StuckHigh()
        quiet = np.zeros(len(draws), dtype=np.bool_) if may_be_stuck is None else may_be_stuck
        self.may_be_stuck = quiet & (self.stuck.probability > 0)
        self.counts = np.ones(len(draws))

    def _untilted(self, tilts: Array) -> Array | None:
        """ln of the weight that a draw has for having been drawn from a tilted likelihood."""
        name = self.shape.nonnegative
        return tilts[:, None] * self.inside[name] if tilts.any() and name in self.inside else None

    @property
    def shape_beyond(self) -> tuple[int, ...] | None:
        """(devices, draws) of the case that the knee lies beyond, or None."""
        return next((values.shape for values in self.beyond.values()), None)

    @classmethod
    def of(cls, fits: Sequence[DeviceFit], stuck: StuckHigh) -> Hierarchy:
        """The devices that have draws."""
        known = [(fit.draws, fit.rtn.status == "not_detected") for fit in fits if fit.draws is not None]
        return cls([draws for draws, _ in known], stuck, np.array([quiet for _, quiet in known]))

    def resampled(self, indices: NDArray[np.intp]) -> Hierarchy:
        """The devices at `indices`, repetitions counted rather than copied."""
        rows, counts = np.unique(indices, return_counts=True)
        part = copy.copy(self)
        part.inside = {name: values[rows] for name, values in self.inside.items()}
        part.beyond = {name: values[rows] for name, values in self.beyond.items()}
        part.untilted = None if self.untilted is None else self.untilted[rows]
        part.log_z, part.last, part.may_be_stuck = self.log_z[rows], self.last[rows], self.may_be_stuck[rows]
        part.counts = self.counts[rows] * counts
        return part

    def between_halves(self, laws: Mapping[str, TruncatedLaw]) -> Array:
        """ln L of each device by every second draw, less that by the others: what the draws leave open."""
        both = []
        for start in (0, 1):
            half = self._every_second(start)
            densities = {name: half.log_density(name, law) for name, law in laws.items()}
            both.append(half._each(densities, half.log_beyond(laws.get(self.shape.knee)))[0])
        return np.asarray(both[0] - both[1])

    def _every_second(self, start: int) -> Hierarchy:
        keep = slice(start, None, 2)
        part = copy.copy(self)
        part.inside = {name: values[:, keep] for name, values in self.inside.items()}
        part.untilted = None if self.untilted is None else self.untilted[:, keep]
        part.beyond = {name: values[:, keep] for name, values in self.beyond.items()}
        return part

    def log_density(self, name: str, law: TruncatedLaw) -> tuple[Array, Array | None]:
        """ln law at the draws inside and beyond."""
        beyond = self._stuck_aware(name, law, self.beyond[name]) if name in self.beyond else None
        return self._stuck_aware(name, law, self.inside[name]), beyond

    def _stuck_aware(self, name: str, law: TruncatedLaw, values: Array) -> Array:
        density = law.logpdf(values)
        if name != self.shape.offset or not self.may_be_stuck.any():
            return density
        quiet, p = values[self.may_be_stuck], self.stuck.probability
        total = np.full(quiet.shape, 1.0 - p)
        for amplitude in self.stuck.amplitudes:
            total += p / len(self.stuck.amplitudes) * _shifted(law, quiet, amplitude)
        density[self.may_be_stuck] += np.log(total)
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
        floored = each <= _FLOOR
        with np.errstate(invalid="ignore"):
            chance = self.counts * np.where(floored, 0.0, np.exp(lb - each))
            certain = self.counts * np.where(floored, 0.0, np.exp(la - each))
        return float(self.counts @ each), weight * certain[:, None], beyond_weight * chance[:, None], chance

    def _each(
        self, densities: Mapping[str, tuple[Array, Array | None]], log_beyond: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        """ln L of each device, of the cases inside and beyond apart, and the weights of draws in each case."""
        inside = np.sum([density for density, _ in densities.values()], axis=0)
        if self.untilted is not None:
            inside = inside + self.untilted
        la, weight = _log_mean_exp(inside)
        la = la + self.log_z
        if self.beyond:
            lb, beyond_weight = _log_mean_exp(np.sum([d for _, d in densities.values() if d is not None], axis=0))
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
        return {"": (np.sum([ahead for ahead, _ in parts], axis=0), np.sum(beyond, axis=0) if beyond else None)}

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

    def maximize(
        self, free: Mapping[str, FreeLaw], start: Mapping[str, TruncatedLaw], only: Sequence[str] | None = None
    ) -> tuple[dict[str, TruncatedLaw], float]:
        """Laws of greatest likelihood; those not in `only` stay as they are in `start`."""
        moving = list(only or free)
        still = self._together({name: law for name, law in start.items() if name not in moving})
        x0 = np.concatenate([free[name].coordinates(start[name].params) for name in moving])
        scale = np.concatenate([free[name].scales(start[name]) for name in moving])

        def objective(u: Array) -> tuple[float, Array]:
            return self._objective(x0 + scale * u, scale, moving, free, start, still)

        found = optimize.minimize(
            objective, np.zeros(len(x0)), jac=True, method="L-BFGS-B",
            bounds=[(-_SCALED_BOX, _SCALED_BOX)] * len(x0), options={"maxiter": 80, "ftol": 1e-9, "gtol": 1e-3},
        )
        laws = dict(start) | laws_at(x0 + scale * found.x, moving, free)
        return laws, -float(found.fun)

    def _objective(
        self, x: Array, scale: Array, moving: list[str], free: Mapping[str, FreeLaw],
        start: Mapping[str, TruncatedLaw], still: Mapping[str, tuple[Array, Array | None]],
    ) -> tuple[float, Array]:
        """-ln L and its gradient by the scaled coordinates."""
        try:
            laws = laws_at(x, moving, free)
        except (ValueError, OverflowError):
            return 1e12, np.zeros(len(x))
        densities = dict(still) | {name: self.log_density(name, law) for name, law in laws.items()}
        knee = laws.get(self.shape.knee, start.get(self.shape.knee))
        log_beyond = self.log_beyond(knee)
        total, inside, beyond, chance = self.combine(densities, log_beyond)
        gradient, at = np.zeros(len(x)), 0
        for name in moving:
            here = (*densities[name], log_beyond if name == self.shape.knee else None)
            for _ in free[name].free:
                law = nudged_law(x, at, FORWARD_STEP * scale[at], name, moving, free)
                ahead = (*self.log_density(name, law), self.log_beyond(law) if name == self.shape.knee else None)
                gradient[at] = sum(
                    weighted_difference(weight, there, before)
                    for weight, there, before in zip((inside, beyond, chance), ahead, here, strict=True)
                    if there is not None and before is not None
                ) / FORWARD_STEP
                at += 1
        return -total, -gradient

    def covariance(
        self, free: Mapping[str, FreeLaw], laws: Mapping[str, TruncatedLaw]
    ) -> dict[str, Array]:
        """Covariance of each law's coordinates, the others' uncertainty included; NaN where not identifiable."""
        moving = list(free)
        x0 = np.concatenate([free[name].coordinates(laws[name].params) for name in moving])
        scale = np.concatenate([free[name].scales(laws[name]) for name in moving])
        n, h = len(x0), 0.03
        still = self._together({name: law for name, law in laws.items() if name not in moving})
        here = self._objective(x0, scale, moving, free, laws, still)[1]
        hessian = np.empty((n, n))
        for i in range(n):
            moved = x0.copy()
            moved[i] += h * scale[i]
            hessian[i] = (self._objective(moved, scale, moving, free, laws, still)[1] - here) / h
        hessian = 0.5 * (hessian + hessian.T)
        try:
            whole = np.asarray(np.linalg.inv(hessian) * np.outer(scale, scale), dtype=np.float64)
        except np.linalg.LinAlgError:
            whole = np.full((n, n), np.nan)
        blocks, at = {}, 0
        for name in moving:
            size = len(free[name].free)
            blocks[name] = whole[at : at + size, at : at + size]
            at += size
        return blocks


def _shifted(law: TruncatedLaw, values: Array, by: float) -> Array:
    """law(values - by) / law(values), at most e^700: a law so narrow that it is more is none that could be meant."""
    if law.family == "norm" and not (math.isfinite(law.lower) or math.isfinite(law.upper)):
        slope = by / law.params["sd"] ** 2  # in one exponential: this is the inner loop of the population
        exponent = values * slope
        exponent -= slope * (law.params["mean"] + 0.5 * by)
    else:
        with np.errstate(invalid="ignore"):
            exponent = np.asarray(law.logpdf(values - by) - law.logpdf(values))
        exponent[np.isnan(exponent)] = 0.0  # outside the truncation before and after: the density is zero anyway
    if exponent.max(initial=0.0) > _LARGEST_EXPONENT:
        np.minimum(exponent, _LARGEST_EXPONENT, out=exponent)
    return np.asarray(np.exp(exponent, out=exponent))


def nudged_law(
    x: Array, at: int, step: float, name: str, moving: list[str], free: Mapping[str, FreeLaw]
) -> TruncatedLaw:
    """The law of `name` with coordinate `at` a step further."""
    moved = x.copy()
    moved[at] += step
    return laws_at(moved, moving, free)[name]


def laws_at(x: Array, moving: Sequence[str], free: Mapping[str, FreeLaw]) -> dict[str, TruncatedLaw]:
    """The laws at stacked coordinates `x`, name after name of `moving`."""
    laws, at = {}, 0
    for name in moving:
        size = len(free[name].free)
        laws[name] = free[name].law(x[at : at + size])
        at += size
    return laws


def _log_mean_exp(values: Array) -> tuple[Array, Array]:
    """ln mean exp over the last axis, and the normalised weights."""
    top = values.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    raw = np.exp(values - top)
    total = raw.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        mean = top[:, 0] + np.log(total[:, 0] / values.shape[1])
    return mean, raw / np.where(total > 0, total, 1.0)


def weighted_difference(weight: Array, ahead: Array, behind: Array) -> float:
    """Sum of weight * (ahead - behind), where the weight is not zero (both are -inf elsewhere)."""
    with np.errstate(invalid="ignore"):
        difference = ahead - behind
    total = float(np.vdot(weight, difference))
    if math.isfinite(total):
        return total
    used = (weight > 0) & np.isfinite(difference)
    return float(weight[used] @ difference[used])
