"""Fit devices read at the same pulses, block by block, in this process or in several."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis, basis_of
from weakreset.fitting.design import design_of
from weakreset.fitting.device_fit import Outlook, ScannedDevice, fit_device
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.first_look import Glance, glance, outlook
from weakreset.fitting.noise_fit import ColourFit, robust_alpha
from weakreset.fitting.processes import can_fork, in_processes
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.step_search import Configuration, best_knees, search_knees_and_steps
from weakreset.fitting.whitening import Whitener
from weakreset.model import DriftShape
from weakreset.traces import PulseTrace

__all__ = ["OWN_ALPHA_RATIO", "Group", "fit_groups", "scan_group"]

Array = NDArray[np.float64]

OWN_ALPHA_RATIO = 1.3
"""A device this much noisier than the technology is judged by its own noise."""

_CALMER = 0.9
_BLOCK = 64
_FIRST_BLOCKS = 2
_LEAST_BLOCKS_FORKED = 2
# starting processes afresh costs 2 to 3 s: measured at 1,000 devices, two of them were slower than one
_LEAST_BLOCKS_SPAWNED = 32


@dataclass(frozen=True)
class Group:
    """Traces read at the same pulses: pulses (n,), traces, ln(R/R0) in rows (n_devices, n)."""

    pulses: NDArray[np.int64]
    traces: list[PulseTrace]
    rows: Array


@dataclass(frozen=True)
class _Task:
    """What a process needs to fit blocks of one group."""

    group: Group
    shape: DriftShape
    noise: ColourFit
    rtn: bool


_Prepared = tuple[Dictionary, _Task]


def fit_groups(
    groups: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, jobs: int | None = None
) -> Iterator[DeviceFit]:
    """Fits of all devices, group after group.

    Parameters
    ----------
    groups : sequence of Group
        The largest first: its first devices say how large a nonnegative number may be, how many steps there are.
    jobs : int, optional
        Processes, 0 for one a core. None: one a core where processes can be forked, else this one alone.
    """
    if jobs is None and not can_fork():
        jobs = 1
    jobs = jobs or os.cpu_count() or 1
    seen: Outlook | None = None
    known: list[list[Configuration]] = []
    for group in groups:
        dictionary = Dictionary(Whitener(group.pulses, noise.colour), basis, rtn)
        task = _Task(group, basis.shape, noise, rtn)
        n_blocks = -(-len(group.traces) // _BLOCK)
        if seen is None:
            first = min(n_blocks, _FIRST_BLOCKS)
            glances = list(_in_blocks(_glance_at_block, dictionary, task, first, jobs))
            seen = outlook(dictionary, glances)
            known = [one.configurations for one in glances]
        for fits in _in_blocks(partial(_fit_block, seen, known), dictionary, task, n_blocks, jobs):
            yield from fits
        known = []


def _in_blocks(
    work: Callable[[_Prepared, int], Any], dictionary: Dictionary, task: _Task, n_blocks: int, jobs: int
) -> Iterator[Any]:
    """The work of each block, in order; in processes where that pays."""
    least = _LEAST_BLOCKS_FORKED if can_fork() else _LEAST_BLOCKS_SPAWNED
    if jobs > 1 and n_blocks >= least:
        return in_processes(_prepared, task, work, n_blocks, jobs, (dictionary, task))
    return (work((dictionary, task), number) for number in range(n_blocks))


def _part(group: Group, number: int) -> Group:
    part = slice(number * _BLOCK, (number + 1) * _BLOCK)
    return Group(group.pulses, group.traces[part], group.rows[part])


def _glance_at_block(prepared: _Prepared, number: int) -> Glance:
    dictionary, task = prepared
    return glance(dictionary, scan_group(dictionary, _part(task.group, number), _level(task.noise), task.rtn))


def _fit_block(
    seen: Outlook, known: Sequence[list[Configuration]], prepared: _Prepared, number: int
) -> list[DeviceFit]:
    dictionary, task = prepared
    found = known[number] if number < len(known) else None
    devices = scan_group(dictionary, _part(task.group, number), _level(task.noise), task.rtn, found)
    return [fit_device(dictionary, device, seen, _stream(device.trace.key)) for device in devices]


def _level(noise: ColourFit) -> float | None:
    """Alpha of all devices; None where each is to be judged by its own."""
    return None if math.isnan(noise.alpha) else noise.alpha


def _prepared(task: _Task) -> _Prepared:
    """For a process that was started afresh."""
    return Dictionary(Whitener(task.group.pulses, task.noise.colour), basis_of(task.shape), task.rtn), task


def scan_group(
    dictionary: Dictionary, group: Group, alpha: float | None, rtn: bool, known: list[Configuration] | None = None
) -> Iterator[ScannedDevice]:
    """Best configuration of each device, unless `known`; `alpha` None means each device's own noise."""
    rows = group.rows
    white, products = dictionary.project(rows)
    plain = best_knees(dictionary, products)
    own = robust_alpha(_residuals(dictionary, white, products, plain))
    used = own if alpha is None else np.where(own > OWN_ALPHA_RATIO * alpha, own, alpha)
    configurations = known or (search_knees_and_steps(dictionary, products, used**2, plain) if rtn else plain)
    if rtn:
        # telegraph steps are not noise: a device is as noisy as it is without them
        own = robust_alpha(_residuals(dictionary, white, products, configurations))
        after = own if alpha is None else np.where(own > OWN_ALPHA_RATIO * alpha, own, alpha)
        if known is None:
            again = np.flatnonzero(after < _CALMER * used)
            found = search_knees_and_steps(dictionary, products[again], after[again] ** 2, [plain[i] for i in again])
            for i, better in zip(again.tolist(), found, strict=True):
                configurations[i] = better
        used = after
    for i, configuration in enumerate(configurations):
        design = design_of(dictionary, products[i], configuration)
        freedom = len(rows[i]) - design.mix.shape[1] - 2 * (configuration.knee is not None)
        left = float(white[i] @ white[i]) - configuration.explained
        yield ScannedDevice(
            group.traces[i], rows[i], white[i], products[i], configuration, design,
            float(used[i]), float(np.sqrt(max(left, 0.0) / freedom)),
        )


def _residuals(
    dictionary: Dictionary, white: Array, products: Array, configurations: Sequence[Configuration]
) -> Array:
    """Whitened traces less their drift, telegraph steps left in."""
    left = np.empty_like(white)
    for i, configuration in enumerate(configurations):
        active = configuration.active(dictionary)
        left[i] = white[i] - dictionary.columns[:, active] @ dictionary.solve(products[i], active)[0]
    return left


def _stream(key: str) -> np.random.Generator:
    """Draws of a device depend on its name alone, not on which others are fitted with it."""
    return np.random.default_rng(list(key.encode()))
