"""Fit devices read at the same pulses, block by block, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import BASES, Basis
from weakreset.fitting.design import design_of
from weakreset.fitting.device_fit import RESOLVED_LR, ScannedDevice, fit_device, likelihood_ratio
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.knee_posterior import scan_moments
from weakreset.fitting.noise_fit import ColourFit, robust_alpha
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.step_search import Configuration, best_knees, search_knees_and_steps
from weakreset.fitting.threads import one_blas_thread
from weakreset.fitting.whitening import Whitener
from weakreset.traces import PulseTrace

__all__ = ["OWN_ALPHA_RATIO", "Group", "fit_groups", "scan_group"]

Array = NDArray[np.float64]

OWN_ALPHA_RATIO = 1.3
"""A device this much noisier than the technology is judged by its own noise."""

_BLOCK = 128
_WIDE_M2 = 1e-2
# starting processes costs 2 to 3 s: measured at 1,000 devices, two of them were slower than one
_LEAST_BLOCKS_FOR_PROCESSES = 16


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
    groups: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, jobs: int = 1
) -> Iterator[DeviceFit]:
    """Fits of all devices, group after group.

    Parameters
    ----------
    groups : sequence of Group
        The largest first; its first block says how large m2 may be.
    jobs : int
        Processes, 0 for one a core. Small sets are fitted in this process whatever it says.
    """
    jobs = jobs or os.cpu_count() or 1
    cap: float | None = None
    for group in groups:
        dictionary = Dictionary(Whitener(group.pulses, noise.colour), basis, rtn)
        if cap is None:
            cap = _m2_cap(dictionary, _block(group, 0), noise, rtn)
        task = _Task(group, basis.shape.name, noise, rtn, cap)
        n_blocks = -(-len(group.traces) // _BLOCK)
        if jobs > 1 and n_blocks >= _LEAST_BLOCKS_FOR_PROCESSES:
            yield from _in_processes(task, n_blocks, jobs)
        else:
            for block in range(n_blocks):
                yield from _fit_block(dictionary, task, block)


def _block(group: Group, number: int) -> Group:
    part = slice(number * _BLOCK, (number + 1) * _BLOCK)
    return Group(group.pulses, group.traces[part], group.rows[part])


def _fit_block(dictionary: Dictionary, task: _Task, number: int) -> list[DeviceFit]:
    block = _block(task.group, number)
    return [
        fit_device(dictionary, device, task.m2_cap, _stream(device.trace.key))
        for device in scan_group(dictionary, block, task.noise.alpha, task.rtn)
    ]


def _in_processes(task: _Task, n_blocks: int, jobs: int) -> Iterator[DeviceFit]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_start_worker, initargs=(task,)) as pool:
        for fits in pool.map(_work, range(n_blocks)):
            yield from fits


_WORKER: dict[str, tuple[Dictionary, _Task]] = {}


def _start_worker(task: _Task) -> None:
    dictionary = Dictionary(Whitener(task.group.pulses, task.noise.colour), BASES[task.shape], task.rtn)
    _WORKER["task"] = (dictionary, task)


def _work(number: int) -> list[DeviceFit]:
    dictionary, task = _WORKER["task"]
    with one_blas_thread():
        return _fit_block(dictionary, task, number)


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
    row, weights, total = dictionary.basis.linear.index("m2"), 0.0, 0.0
    for device in scan_group(dictionary, block, noise.alpha, rtn):
        if likelihood_ratio(dictionary, device) > RESOLVED_LR:
            moments = scan_moments(dictionary, device.products, device.design, device.alpha**2)
            at = int(moments.log_z.argmax())
            weight = 1.0 / float(moments.variances()[row, at])
            weights, total = weights + weight, total + weight * float(moments.numbers[row, at])
    if weights == 0.0:
        return _WIDE_M2
    return 8.0 * (max(total / weights, 0.0) + 2.0 / float(np.sqrt(weights)))


def _stream(key: str) -> np.random.Generator:
    """Draws of a device depend on its name alone, not on which others are fitted with it."""
    return np.random.default_rng(list(key.encode()))
