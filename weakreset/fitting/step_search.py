"""Find the drift's knee and the telegraph steps of a trace together.

A telegraph step looks like a knee and a knee like a step, so neither is searched alone: every step is
tried with a range of knees, all are relocated after each addition, and steps that do not pay are
removed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.dictionary import Dictionary

__all__ = ["STEP_THRESHOLD", "Configuration", "best_knees", "most_steps", "search_knees_and_steps"]

Array = NDArray[np.float64]

STEP_THRESHOLD = 24.0
"""A step stays where it raises 2 ln L by this much (a false one in about 200 devices at 1,000 reads)."""

_PROMISING = 0.7  # of the threshold, before the other steps are refined: a second step may hide a first
_KNEES_TRIED = 24  # steps are looked for beside each; spaced in ratios, as knees are
_LEAST_LEFT = 1e-9  # what knees leave of a step, relative: below it rounding decides
_ROUNDS = 4  # of adding, moving and dropping steps
_PULSES_A_STEP = 250  # more steps than this are no trap that can be followed
_READS_A_STEP = 100  # with fewer reads a step the level between two steps is not known
_MOST_STEPS = 64  # beyond it the trace is restless, and is said to be


@dataclass(frozen=True)
class Configuration:
    """Which profile and which steps describe a trace: column indices of the dictionary.

    Attributes
    ----------
    knee : int or None
        Column of the profile; None where the drift shape has none.
    steps : tuple of int
        Columns of the steps, in order of time.
    explained : float
        Sum of squares explained (whitened, in units of alpha^2).
    more_steps : bool
        Whether further steps would pay, but the search stops at so many.
    """

    knee: int | None
    steps: tuple[int, ...]
    explained: float
    more_steps: bool = False

    def active(self, dictionary: Dictionary) -> list[int]:
        return [*dictionary.base, *([] if self.knee is None else [self.knee]), *self.steps]


def search_knees_and_steps(
    dictionary: Dictionary, products: Array, variance: Array, plain: list[Configuration]
) -> list[Configuration]:
    """The best configuration of every device, telegraph steps included.

    Parameters
    ----------
    dictionary : Dictionary
    products : ndarray, shape (n_devices, m)
        From `Dictionary.project`.
    variance : ndarray, shape (n_devices,)
        alpha^2 of each device (usually the pooled one).
    plain : list of Configuration
        From `best_knees`.
    """
    if not len(dictionary.step_reads):
        return plain
    first = _first_steps(dictionary, products, plain)
    gained = np.array([best.explained - none.explained for best, none in zip(first, plain, strict=True)])
    suspicious = gained > _PROMISING * STEP_THRESHOLD * variance
    return [
        _StepSearch(dictionary, products[i], STEP_THRESHOLD * float(variance[i])).run(plain[i], first[i])
        if suspicious[i]
        else plain[i]
        for i in range(len(plain))
    ]


def most_steps(pulses: NDArray[np.int64]) -> int:
    """How many telegraph steps of a trace are followed: telegraph noise as published changes once in 600 pulses."""
    return min(8 + int(pulses[-1] - pulses[0]) // _PULSES_A_STEP, 8 + len(pulses) // _READS_A_STEP, _MOST_STEPS)


def best_knees(dictionary: Dictionary, products: Array) -> list[Configuration]:
    """The best configuration of every device without telegraph steps; exact, over all candidates."""
    base = dictionary.base
    explained = dictionary.explained(products, base)
    if not len(dictionary.grid):
        return [Configuration(None, (), float(value)) for value in explained]
    gains, _ = dictionary.knee_gains(products, base)
    best = gains.argmax(axis=1)
    top = gains[np.arange(len(best)), best]
    return [
        Configuration(dictionary.profiles.start + int(k), (), float(e + gain))
        for k, e, gain in zip(best, explained, top, strict=True)
    ]


@lru_cache(maxsize=64)
def _knees_to_try(start: int, stop: int) -> list[int]:
    """Some of the profiles of these indices."""
    if start == stop:
        return []
    chosen = np.unique(np.geomspace(1, stop - start, _KNEES_TRIED).astype(int) - 1)
    return [start + int(i) for i in chosen]


def _first_steps(dictionary: Dictionary, products: Array, plain: list[Configuration]) -> list[Configuration]:
    """The best first step of every device beside its own knee or one of a few others, not relocated yet.

    What the base leaves of steps and knees is the same for all of these, and for all devices.
    """
    d, everyone = dictionary, np.arange(len(plain))
    own = np.array([-1 if start.knee is None else start.knee for start in plain])
    tries = [(int(knee), np.flatnonzero(own == knee)) for knee in np.unique(own)]
    tries += [(knee, everyone) for knee in _knees_to_try(d.profiles.start, d.profiles.stop)]
    by_base = d.explained(products, d.base)
    step_product, step_length = d.candidates(products, d.base, d.steps)
    knee_product, knee_length = d.candidates(products, d.base, d.profiles)
    beside, mixed = d.gram[d.base, d.steps], d.base_mix()
    explained = np.full(len(plain), -np.inf)
    knees, steps = np.zeros((2, len(plain)), dtype=np.intp)
    room = np.empty_like(step_product)  # a table made anew for each knee costs more than what is done with it
    for knee, rows in tries:
        product, length, total = room[: len(rows)], step_length, by_base[rows]
        product[:] = step_product if rows is everyone else step_product[rows]
        if knee >= 0:
            k = knee - d.profiles.start
            cross = d.gram[knee, d.steps] - mixed[:, k] @ beside
            added = knee_product[rows, k] / knee_length[k]
            for row, size in zip(product, added, strict=True):
                row -= size * cross
            length = length - cross**2 / knee_length[k]
            length[length <= _LEAST_LEFT * d.lengths[d.steps]] = np.inf  # the knee has taken such a step up: no gain
            total += added**2 * knee_length[k]
        product *= product
        product /= length
        step = product.argmax(axis=1)
        total += product[np.arange(len(rows)), step]
        better = total > explained[rows]
        at = rows[better]
        explained[at], knees[at], steps[at] = total[better], knee, step[better]
    return [
        Configuration(None if knee < 0 else int(knee), (dictionary.steps.start + int(step),), float(value))
        for knee, step, value in zip(knees, steps, explained, strict=True)
    ]


class _StepSearch:
    """Greedy search with relocation for one device."""

    def __init__(self, dictionary: Dictionary, products: Array, threshold: float) -> None:
        self.dictionary = dictionary
        self.products = products
        self.threshold = threshold
        self._knees: dict[frozenset[int], int] = {}
        self._steps: dict[tuple[int | None, frozenset[int]], int] = {}
        self.most = most_steps(dictionary.whitener.pulses)

    def run(self, start: Configuration, first: Configuration) -> Configuration:
        """From no steps (`start`) and the best first one."""
        current = start
        more = False
        while not more:
            proposal = self._add_step(current) if current.steps else self._refine(first)
            if proposal.explained - current.explained < self.threshold:
                break
            more = len(current.steps) == self.most
            current = current if more else proposal
        while current.steps:
            fewer = max((self._drop_step(current, i) for i in range(len(current.steps))), key=lambda c: c.explained)
            if current.explained - fewer.explained >= self.threshold:
                break
            current = fewer
        return Configuration(current.knee, tuple(sorted(current.steps)), current.explained, more)

    def _add_step(self, current: Configuration) -> Configuration:
        d, fixed = self.dictionary, [*self.dictionary.base, *current.steps]
        product, length = d.candidates(self.products, fixed, d.steps)
        taken = [step - d.steps.start for step in current.steps]
        if current.knee is None:
            gains = product**2 / length
            gains[taken] = -1.0
            return self._refine(Configuration(None, (*current.steps, d.steps.start + int(gains.argmax())), 0.0))
        knees = [current.knee, *_knees_to_try(d.profiles.start, d.profiles.stop)]
        rows = np.asarray(fixed)[:, None]
        beside = d.gram[rows, knees]
        mixed = np.linalg.inv(d.gram[rows, fixed]) @ beside
        knee_product = self.products[knees] - self.products[fixed] @ mixed
        knee_length = d.gram[knees, knees] - np.einsum("ij,ij->j", beside, mixed)
        cross = d.gram[knees, d.steps] - mixed.T @ d.gram[fixed, d.steps]
        left = length - cross**2 / knee_length[:, None]
        gone = left <= _LEAST_LEFT * length
        left[gone] = 1.0
        total = product - cross * (knee_product / knee_length)[:, None]
        total *= total
        total /= left
        total[gone] = 0.0
        total += (knee_product**2 / knee_length)[:, None]
        total[:, taken] = -1.0
        row, column = np.unravel_index(int(total.argmax()), total.shape)
        return self._refine(Configuration(knees[row], (*current.steps, d.steps.start + int(column)), 0.0))

    def _drop_step(self, current: Configuration, i: int) -> Configuration:
        rest = current.steps[:i] + current.steps[i + 1 :]
        return self._refine(Configuration(current.knee, rest, 0.0), rounds=2)

    def _refine(self, start: Configuration, rounds: int = _ROUNDS) -> Configuration:
        """Move the knee and each step to its best place beside the others, until nothing moves."""
        d, steps = self.dictionary, list(start.steps)
        knee = self._best_knee(steps) if start.knee is not None else None
        for _ in range(rounds):
            before = (knee, tuple(steps))
            for i in range(len(steps)):
                steps[i] = self._best_step(knee, steps[:i] + steps[i + 1 :])
            if knee is not None:
                knee = self._best_knee(steps)
            if before == (knee, tuple(steps)):
                break
        active = [*d.base, *([] if knee is None else [knee]), *steps]
        return Configuration(knee, tuple(steps), d.solve(self.products, active)[1])

    def _best_step(self, knee: int | None, others: list[int]) -> int:
        """The best place of one step more."""
        d, key = self.dictionary, (knee, frozenset(others))
        if key not in self._steps:
            active = [*d.base, *([] if knee is None else [knee]), *others]
            product, length = d.candidates(self.products, active, d.steps)
            gains = product**2 / length
            gains[[step - d.steps.start for step in others]] = -1.0
            self._steps[key] = d.steps.start + int(gains.argmax())
        return self._steps[key]

    def _best_knee(self, steps: list[int]) -> int:
        key = frozenset(steps)
        if key not in self._knees:
            gains, _ = self.dictionary.knee_gains(self.products, [*self.dictionary.base, *steps])
            self._knees[key] = int(self.dictionary.profiles.start) + int(gains.argmax())
        return self._knees[key]
