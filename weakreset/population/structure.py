"""Lots have structure: do devices of one die, wafer or lot resemble each other, and are there two kinds of devices?

Both tests look at the devices' own estimates (logarithms of those that are positive), of devices that identify them.

Groups: analysis of variance of normal scores, F with (g - 1, n - g) degrees of freedom; components of
variance between and within groups come from the mean squares (method of moments, Searle 1971); errors of the estimates
count as within.
Two kinds: the dip test (Hartigan and Hartigan 1985, Annals of Statistics 13, 70), whose level holds for every law with
one mode, at the price of power: it sees two halves that lie 3 to 4 standard deviations apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.multiple_testing import holm
from weakreset.population.dip import two_kinds
from weakreset.traces.group_labels import GROUP_COLUMNS

__all__ = ["GROUP_COLUMNS", "GroupTest", "group_tests", "structure_notes"]

Array = NDArray[np.float64]

LEVEL = 0.05
"""Chance of any false alarm of a test over all numbers (and columns) together, by Holm's procedure."""

_LEAST_DEVICES = 30  # with fewer the dip test has little power


@dataclass(frozen=True)
class GroupTest:
    """Of one number between the groups of one column.

    Attributes
    ----------
    column, number : str
    n_groups, n_devices : int
    share : float
        Of the variance of the estimates that lies between groups.
    p_value, adjusted_p_value : float
        Of groups that are all alike; and after Holm's correction for all tests.
    """

    column: str
    number: str
    n_groups: int
    n_devices: int
    share: float
    p_value: float
    adjusted_p_value: float = 1.0

    @property
    def differ(self) -> bool:
        return self.adjusted_p_value < LEVEL


def group_tests(fits: FitSet) -> tuple[GroupTest, ...]:
    """Tests of every number between the groups of every column that has two groups with two devices."""
    labels = fits.labels
    found = []
    for column in labels:
        for number, (devices, values) in _estimates(fits).items():
            codes = [labels[column].get(device) for device in devices]
            known = np.array([code is not None for code in codes], dtype=np.bool_)
            names, code = np.unique([c for c in codes if c is not None], return_inverse=True)
            n = len(code)
            if len(names) >= 2 and n >= len(names) + 2 and np.ptp(values[known]) > 0:
                found.append(_compare(column, number, code, len(names), values[known]))
    if not found:
        return ()
    adjusted = holm(np.array([test.p_value for test in found]))
    return tuple(
        GroupTest(t.column, t.number, t.n_groups, t.n_devices, t.share, t.p_value, float(p))
        for t, p in zip(found, adjusted, strict=True)
    )


def _compare(column: str, number: str, code: NDArray[np.intp], n_groups: int, values: Array) -> GroupTest:
    n = len(values)
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    scores = special.ndtri((np.cumsum(count) - 0.5 * count)[place] / n)
    between, within, size = _mean_squares(code, n_groups, np.asarray(scores))
    p_value = float(special.fdtrc(n_groups - 1, n - n_groups, between / within)) if within > 0 else 0.0
    extra = max((between - within) / size, 0.0)
    return GroupTest(column, number, n_groups, n, extra / (extra + within) if extra + within > 0 else 0.0, p_value)


def _mean_squares(code: NDArray[np.intp], n_groups: int, values: Array) -> tuple[float, float, float]:
    """Mean squares between and within groups, and the mean size of a group that belongs to them."""
    n, sizes = len(values), np.bincount(code, minlength=n_groups)
    means = np.bincount(code, values, n_groups) / sizes
    within = float(np.sum((values - means[code]) ** 2)) / (n - n_groups)
    between = float(sizes @ (means - values.mean()) ** 2) / (n_groups - 1)
    return between, within, float(n - np.sum(sizes**2) / n) / (n_groups - 1)


def structure_notes(fits: FitSet) -> tuple[str, ...]:
    """What was tested, and what came out: a sentence for each column, and one for each number with two kinds."""
    notes = []
    tests = group_tests(fits)
    for column in dict.fromkeys(test.column for test in tests):
        notes.append(_sentence(column, [test for test in tests if test.column == column]))
    numbers = {name: values for name, (_, values) in _estimates(fits).items() if len(values) >= _LEAST_DEVICES}
    numbers = {name: values for name, values in numbers.items() if np.ptp(values) > 0}
    p_values = [two_kinds(values) for values in numbers.values()]
    adjusted = holm(np.array(p_values)) if p_values else ()
    kinds = [(name, p) for name, p in zip(numbers, adjusted, strict=True) if p < LEVEL]
    if kinds:
        named = ", ".join(f"{name} (p = {p:.2g})" for name, p in kinds)
        notes.append(
            f"two kinds of devices: the estimates of {named} have more than one mode (dip test of "
            f"{len(numbers)} numbers at a joint level of {LEVEL:.0%}); one law describes neither kind: fit them "
            "apart (--where)"
        )
    return tuple(notes)


def _sentence(column: str, tests: Sequence[GroupTest]) -> str:
    many = f"{max(test.n_groups for test in tests)} groups of {column!r}"
    level = f"joint level {LEVEL:.0%}, Holm"
    found = [
        f"{test.number} ({test.share:.0%} of the variance lies between them, p = {test.adjusted_p_value:.2g})"
        for test in tests if test.differ
    ]
    if not found:
        return f"{many}: no difference shown in {', '.join(test.number for test in tests)} ({level})"
    return (
        f"{many} differ in {', '.join(found)} ({level}); the laws are those of a device of any group, their standard "
        "errors take devices for independent and are too small, and correlations may be those of the groups"
    )


def _estimates(fits: FitSet) -> dict[str, tuple[list[str], Array]]:
    """By number: names and estimates of the devices that identify it, logarithms where all are positive."""
    found = {}
    for name in ("r0_ohm", *fits.drift.parameters):
        known = [(fit.device, float(value)) for fit in fits.usable if (value := _own(fits, fit, name)) is not None]
        values = np.array([value for _, value in known])
        if len(values) >= 4:
            positive = name != fits.drift.offset and name != fits.drift.nonnegative and values.min() > 0
            found[name] = ([device for device, _ in known], np.log(values) if positive else values)
    return found


def _own(fits: FitSet, fit: DeviceFit, name: str) -> float | None:
    """Size of the device's estimate; None where it is an average over knees, or no more than an upper limit."""
    estimate = fit.estimates.get(name)
    if estimate is None or (name != "r0_ohm" and fit.status is FitStatus.KNEE_UNRESOLVED):
        return None
    if estimate.status == "upper_limit_only" or estimate.value is None:
        return None
    return fits.size(name, estimate.value)
