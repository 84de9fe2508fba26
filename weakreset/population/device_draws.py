"""All devices' likelihood draws in arrays: what the laws of a population are fitted to."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.population.stuck import StuckHigh

__all__ = ["DeviceDraws"]

Array = NDArray[np.float64]


class DeviceDraws:
    """Arrays of shape (devices, draws) by name of the number, for the knee inside the trace and beyond it.

    Parameters
    ----------
    draws : sequence of LikelihoodDraws
        A device each; all of the same drift shape.
    stuck : StuckHigh
    may_be_stuck : ndarray of bool, shape (n_devices,), optional
        Devices without telegraph steps; none unless given.
    known : mapping of str to ndarray, shape (n_devices,), optional
        Normal scores of numbers that every device knows exactly (r0_ohm), for correlations.
    """

    def __init__(
        self, draws: Sequence[LikelihoodDraws], stuck: StuckHigh | None = None,
        may_be_stuck: NDArray[np.bool_] | None = None, known: Mapping[str, Array] | None = None,
    ) -> None:
        self.shape = draws[0].shape
        self.names = draws[0].names
        # kept in single precision, worked with in double, whose range the exponents of `stuck` need
        inside = np.stack([draw.inside for draw in draws]).astype(np.float64)
        self.inside = {name: np.ascontiguousarray(inside[..., i]) for i, name in enumerate(self.names)}
        self.untilted = self._untilted(np.array([draw.tilt for draw in draws]))
        self.log_z = np.array([draw.log_z for draw in draws])
        self.last = np.array([draw.last for draw in draws])
        self.beyond: dict[str, Array] = {}
        if all(draw.beyond is not None for draw in draws):
            hidden = np.stack([draw.beyond for draw in draws if draw.beyond is not None]).astype(np.float64)
            self.beyond = {name: np.ascontiguousarray(hidden[..., i]) for i, name in enumerate(draws[0].names_beyond)}
        cases = (self.inside, self.beyond)
        self.logs = tuple({name: _log_positive(values) for name, values in case.items()} for case in cases)
        self.stuck = stuck or StuckHigh()
        quiet = np.zeros(len(draws), dtype=np.bool_) if may_be_stuck is None else may_be_stuck
        self.may_be_stuck = quiet & (self.stuck.probability > 0)
        self.known = dict(known or {})
        self.counts = np.ones(len(draws))

    def _untilted(self, tilts: Array) -> Array | None:
        """ln of the weight that a draw has for having been drawn from a tilted likelihood."""
        name = self.shape.nonnegative
        return tilts[:, None] * self.inside[name] if tilts.any() and name in self.inside else None

    @property
    def shape_beyond(self) -> tuple[int, ...] | None:
        """(devices, draws) of the case that the knee lies beyond, or None."""
        return next((values.shape for values in self.beyond.values()), None)

    def resampled(self, indices: NDArray[np.intp]) -> Self:
        """The devices at `indices`, repetitions counted rather than copied."""
        rows, counts = np.unique(indices, return_counts=True)
        part = self.part(rows)
        part.log_z, part.last, part.may_be_stuck = self.log_z[rows], self.last[rows], self.may_be_stuck[rows]
        part.counts = self.counts[rows] * counts
        part.known = {name: scores[rows] for name, scores in self.known.items()}
        return part

    def part(self, index: Any) -> Self:
        """Some of the devices, or of their draws."""
        part = copy.copy(self)
        part.inside = {name: values[index] for name, values in self.inside.items()}
        part.beyond = {name: values[index] for name, values in self.beyond.items()}
        part.logs = tuple({name: values[index] for name, values in logs.items()} for logs in self.logs)
        part.untilted = None if self.untilted is None else self.untilted[index]
        return part


def _log_positive(values: Array) -> Array:
    """ln of what is above zero; 0 elsewhere, where every law that asks for it has no mass."""
    return np.log(values, where=values > 0, out=np.zeros_like(values))
