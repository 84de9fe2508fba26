"""Fit blocks of devices by a plan, in this process or in several."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.averaged import steps_on_reads, torn_blocks
from weakreset.fitting.device_fit import ScannedDevice, fit_device
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.examined import examined_alone
from weakreset.fitting.group import Group, families, pieces
from weakreset.fitting.plan import FitPlan
from weakreset.fitting.processes import can_fork, in_processes
from weakreset.fitting.residual_check import check_residuals
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.scan import scan_group
from weakreset.fitting.shared_dictionary import SharedDictionary, shared_dictionary
from weakreset.fitting.step_growth import grown_parts, with_growth, without_growth
from weakreset.fitting.whitening import NoiseColour, Whitener

__all__ = ["Unchecked", "checked", "fit_block", "fit_groups", "fit_sample"]

Array = NDArray[np.float64]

_LEAST_BLOCKS_FORKED = 2
# starting processes afresh costs 2 to 3 s: measured at 1,000 devices, two of them were slower than one
_LEAST_BLOCKS_SPAWNED = 32


@dataclass(frozen=True, eq=False)
class Unchecked:
    """A fit before the look at its residuals, which asks what all devices say of the errors; and its Jacobian."""

    fit: DeviceFit
    jacobian: Array


_Fits = list[tuple[DeviceFit, Unchecked]]
_Recipe = tuple[FitPlan, list[list[Group]]]


def fit_groups(groups: Sequence[Group], plan: FitPlan, jobs: int | None = None) -> Iterator[DeviceFit]:
    """Fits of all devices, common grid after common grid.

    Parameters
    ----------
    groups : sequence of Group
    plan : FitPlan
    jobs : int, optional
        Processes, 0 for one a core. None: one a core where processes can be forked, else this one alone.
    """
    yield from _of_blocks(_fit_numbered, groups, plan, jobs)


def fit_sample(groups: Sequence[Group], plan: FitPlan, jobs: int | None = None) -> _Fits:
    """The same for the sample of a survey, with what `checked` needs where only the errors of all change."""
    return list(_of_blocks(_sample_numbered, groups, plan, jobs))


def _of_blocks(
    work: Callable[[_Recipe, int], list[Any]], groups: Sequence[Group], plan: FitPlan, jobs: int | None
) -> Iterator[Any]:
    if jobs is None and not can_fork():
        jobs = 1
    jobs = jobs or os.cpu_count() or 1
    recipe = plan, [block for family in families(groups) for block in pieces(family)]
    numbers = range(len(recipe[1]))
    least = _LEAST_BLOCKS_FORKED if can_fork() else _LEAST_BLOCKS_SPAWNED
    if jobs > 1 and len(numbers) >= least:
        _dictionary(recipe[1][0][0], plan.noise.colour, plan)  # what is there already need not be made everywhere
        fitted = in_processes(_kept, recipe, work, numbers, jobs, recipe)
    else:
        fitted = (work(recipe, number) for number in numbers)
    for fits in fitted:
        yield from fits


def _kept(recipe: _Recipe) -> _Recipe:
    return recipe


def _fit_numbered(recipe: _Recipe, number: int) -> list[DeviceFit]:
    plan, blocks = recipe
    return fit_block(plan, blocks[number])


def _sample_numbered(recipe: _Recipe, number: int) -> _Fits:
    plan, blocks = recipe
    return _fit_block(plan, blocks[number])


@dataclass(frozen=True)
class _Read:
    """A group with the dictionary of its reads and what was found."""

    group: Group
    dictionary: Dictionary
    devices: list[ScannedDevice]


def fit_block(plan: FitPlan, block: Sequence[Group]) -> list[DeviceFit]:
    """Fits of the devices of a block: up to 64, read on one common grid. They depend on nothing but plan and trace."""
    if plan.before is None:
        return [fit for fit, _ in _fit_block(plan, block)]
    parts = grown_parts([fit for fit, _ in _fit_block(plan.before, block)], plan.growth)
    return [with_growth(fit, plan.growth, parts) for fit, _ in _fit_block(plan, without_growth(block, parts))]


def _fit_block(plan: FitPlan, block: Sequence[Group]) -> _Fits:
    shared = _dictionary(block[0], plan.noise.colour, plan)
    fits: _Fits = []
    others: dict[float, list[Group]] = {}
    for read in _scanned(shared, plan, block, plan.noise.alpha):
        if plan.own is None:
            fits += _fitted(plan, read)
            continue
        exponents = plan.own.exponents(*shared.near.exponents_of(read.dictionary, read.devices))
        own = exponents != plan.noise.colour.exponent
        fits += _fitted(plan, replace(read, devices=[read.devices[i] for i in np.flatnonzero(~own)]))
        for exponent in np.unique(exponents[own]).tolist():
            others.setdefault(exponent, []).append(read.group.part(exponents == exponent))
    for exponent in sorted(others):
        colour = replace(plan.noise.colour, exponent=exponent)
        for read in _scanned(_dictionary(block[0], colour, plan), plan, others[exponent], math.nan):
            fits += _fitted(plan, read)
    return fits


def _scanned(shared: SharedDictionary, plan: FitPlan, groups: Sequence[Group], alpha: float) -> Iterator[_Read]:
    dictionaries = [shared.at(group.pulses) for group in groups]
    projected = shared.project(groups, dictionaries)
    level = None if math.isnan(alpha) else alpha
    for group, dictionary, one in zip(groups, dictionaries, projected, strict=True):
        yield _Read(group, dictionary, list(scan_group(dictionary, group, level, plan.rtn, one)))


def _fitted(plan: FitPlan, read: _Read) -> _Fits:
    """Fits of scanned devices; those of very long traces again where a block of reads belongs to no level."""
    fits = _first_fits(plan, read)
    if read.group.averaged is None:
        return fits
    whole = [_without_torn(plan, read, device, fit) for device, fit in zip(read.devices, fits, strict=True)]
    return [
        (steps_on_reads(fit, *one.trace.log_ratio()), before)
        for one, (fit, before) in zip(read.devices, whole, strict=True)
    ]


def _first_fits(plan: FitPlan, read: _Read) -> _Fits:
    prints = dict(zip(map(id, read.group.traces), read.group.fingerprints, strict=True))
    found = [
        Unchecked(*fit_device(read.dictionary, one, plan.outlook, prints[id(one.trace)])) for one in read.devices
    ]
    if growth := plan.growth.value:
        found = [replace(one, fit=replace(one.fit, rtn=replace(one.fit.rtn, growth=growth))) for one in found]
    return list(zip(checked(plan, read.dictionary.whitener, found), found, strict=True))


def checked(plan: FitPlan, whitener: Whitener, found: Sequence[Unchecked]) -> list[DeviceFit]:
    """Fits of traces read at the pulses of this whitener after a look at their residuals."""
    fits = [one.fit for one in found]
    checks = check_residuals(whitener, fits, [one.jacobian for one in found], plan.errors)
    return [examined_alone(replace(fit, check=check), plan.basis) for fit, check in zip(fits, checks, strict=True)]


def _without_torn(
    plan: FitPlan, read: _Read, device: ScannedDevice, found: tuple[DeviceFit, Unchecked]
) -> tuple[DeviceFit, Unchecked]:
    fit = found[0]
    torn = torn_blocks(fit)
    if not len(torn):
        return found
    group, colour = read.group, read.dictionary.whitener.colour
    pulses, row = np.delete(group.pulses, torn), np.delete(device.log_ratio, torn)
    alone = Group(pulses, [device.trace], row[None], group.common, group.averaged, (fit.fingerprint,))
    alpha = plan.noise.alpha if colour.exponent == plan.noise.colour.exponent else math.nan
    (again,) = _scanned(_dictionary(group, colour, plan), plan, [alone], alpha)
    return _first_fits(plan, again)[0]


def _dictionary(group: Group, colour: NoiseColour, plan: FitPlan) -> SharedDictionary:
    return shared_dictionary(group.common, replace(colour, averaged=group.averaged), plan.basis, plan.rtn)
