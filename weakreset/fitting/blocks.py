"""Fit devices read at the same pulses, block by block, in this process or in several."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import BASES, Basis
from weakreset.fitting.design import design_of
from weakreset.fitting.device_fit import RESOLVED_LR, ScannedDevice, fit_device, likelihood_ratio
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.knee_posterior import scan_moments
from weakreset.fitting.noise_fit import ColourFit, robust_alpha
from weakreset.fitting.processes import can_fork, in_processes
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.step_search import Configuration, best_knees, search_knees_and_steps
from weakreset.fitting.whitening import Whitener
from weakreset.traces import PulseTrace

__all__ = ["OWN_ALPHA_RATIO", "Group", "fit_groups", "scan_group"]

Array = NDArray[np.float64]

OWN_ALPHA_RATIO = 1.3
"""A device this much noisier than the technology is judged by its own noise."""

_BLOCK = 64
_CAP_DEVICES = 2 * _BLOCK
_CAP_ROUNDS = 4
_WIDE_M2 = 1e-2
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
    shape: str
    noise: ColourFit
    rtn: bool
    m2_cap: float


def fit_groups(
    groups: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, jobs: int | None = None
) -> Iterator[DeviceFit]:
    """Fits of all devices, group after group.

    Parameters
    ----------
    groups : sequence of Group
        The largest first; its first block says how large m2 may be.
    jobs : int, optional
        Processes, 0 for one a core. None: one a core where processes can be forked, else this one alone.
    """
    if jobs is None and not can_fork():
        jobs = 1
    jobs = jobs or os.cpu_count() or 1
    least = _LEAST_BLOCKS_FORKED if can_fork() else _LEAST_BLOCKS_SPAWNED
    cap: float | None = None
    for group in groups:
        dictionary = Dictionary(Whitener(group.pulses, noise.colour), basis, rtn)
        if cap is None:
            cap = _m2_cap(dictionary, _part(group, 0, _CAP_DEVICES), noise, rtn)
        task = _Task(group, basis.shape.name, noise, rtn, cap)
        n_blocks = -(-len(group.traces) // _BLOCK)
        if jobs > 1 and n_blocks >= least:
            blocks = in_processes(_prepared, task, _work, n_blocks, jobs, (dictionary, task))
        else:
            blocks = (_fit_block(dictionary, task, number) for number in range(n_blocks))
        for fits in blocks:
            yield from fits


def _part(group: Group, number: int, size: int = _BLOCK) -> Group:
    part = slice(number * size, (number + 1) * size)
    return Group(group.pulses, group.traces[part], group.rows[part])


def _fit_block(dictionary: Dictionary, task: _Task, number: int) -> list[DeviceFit]:
    block = _part(task.group, number)
    return [
        fit_device(dictionary, device, task.m2_cap, _stream(device.trace.key))
        for device in scan_group(dictionary, block, task.noise.alpha, task.rtn)
    ]


def _prepared(task: _Task) -> tuple[Dictionary, _Task]:
    """For a process that was started afresh."""
    return Dictionary(Whitener(task.group.pulses, task.noise.colour), BASES[task.shape], task.rtn), task


def _work(prepared: tuple[Dictionary, _Task], number: int) -> list[DeviceFit]:
    return _fit_block(*prepared, number)


def scan_group(dictionary: Dictionary, group: Group, alpha: float | None, rtn: bool) -> Iterator[ScannedDevice]:
    """Best configuration of each device; `alpha` None means each device's own noise."""
    rows = group.rows
    white, products = dictionary.project(rows)
    plain = best_knees(dictionary, products)
    own = robust_alpha(_residuals(dictionary, white, products, plain))
    used = own if alpha is None else np.where(own > OWN_ALPHA_RATIO * alpha, own, alpha)
    configurations = search_knees_and_steps(dictionary, products, used**2, plain) if rtn else plain
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


def _m2_cap(dictionary: Dictionary, block: Group, noise: ColourFit, rtn: bool) -> float:
    """Eight times the mean m2 of the devices with a clear knee, its error allowed for: far above them all."""
    if "m2" not in dictionary.basis.linear:
        return np.inf
    row = dictionary.basis.linear.index("m2")
    seen: list[tuple[float, float]] = []
    for device in scan_group(dictionary, block, noise.alpha, rtn):
        if likelihood_ratio(dictionary, device) > RESOLVED_LR:
            moments = scan_moments(dictionary, device.products, device.design, device.alpha**2)
            at = int(moments.log_z.argmax())
            seen.append((float(moments.numbers[row, at]), float(moments.variances()[row, at])))
    if not seen:
        return _WIDE_M2
    values, variances = np.array(seen).T
    mean = 0.0
    for _ in range(_CAP_ROUNDS):  # devices differ by about the mean, so not one that knows itself well decides
        weights = 1.0 / (variances + mean**2)
        mean = max(float(weights @ values / weights.sum()), 0.0)
    return 8.0 * (mean + 2.0 / float(np.sqrt(weights.sum())))


def _stream(key: str) -> np.random.Generator:
    """Draws of a device depend on its name alone, not on which others are fitted with it."""
    return np.random.default_rng(list(key.encode()))
