"""Fit devices read at the same pulses, or most of them, block by block, in this process or in several."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from weakreset.fitting.shared_dictionary import SharedDictionary
from weakreset.fitting.step_search import Configuration, best_knees, search_knees_and_steps
from weakreset.fitting.whitening import Averaged
from weakreset.model import DriftShape
from weakreset.traces import PulseTrace

__all__ = ["OWN_ALPHA_RATIO", "Group", "families", "fit_groups", "scan_group"]

Array = NDArray[np.float64]

OWN_ALPHA_RATIO = 1.3
"""A device this much noisier than the technology is judged by its own noise."""

_CALMER = 0.9  # a noise that shrinks by less than a tenth without the steps would not move a result
_BLOCK = 64  # devices: enough for products of matrices, few enough that progress is seen to move
_FIRST_BLOCKS = 2  # those with most reads, which tell most of what all devices share
_LEAST_BLOCKS_FORKED = 2  # one block alone cannot be shared out; a fork costs next to nothing
# starting processes afresh costs 2 to 3 s: measured at 1,000 devices, two of them were slower than one
_LEAST_BLOCKS_SPAWNED = 32


@dataclass(frozen=True)
class Group:
    """Traces read at the same pulses: pulses (n,), traces, ln(R/R0) in rows (n_devices, n).

    `grid` holds the pulses of the common grid where these are some of them; None where they are all. `averaged` says
    which reads are means of several.
    """

    pulses: NDArray[np.int64]
    traces: list[PulseTrace]
    rows: Array
    grid: NDArray[np.int64] | None = None
    averaged: Averaged | None = None

    @property
    def common(self) -> NDArray[np.int64]:
        """Pulses of the common grid."""
        return self.pulses if self.grid is None else self.grid

    def part(self, which: slice | NDArray[np.bool_]) -> Group:
        """Some of the devices."""
        traces = np.arange(len(self.traces))[which].tolist()
        return Group(self.pulses, [self.traces[i] for i in traces], self.rows[which], self.grid, self.averaged)


_Piece = list[Group]
"""Groups of one common grid that are fitted in one go."""


@dataclass(frozen=True)
class _Task:
    """What a process needs to fit the pieces of one common grid."""

    pieces: list[_Piece]
    basis: tuple[DriftShape, str, tuple[tuple[str, float], ...]]
    noise: ColourFit
    rtn: bool


_Prepared = tuple[SharedDictionary, _Task]
_Known = Mapping[int, Sequence[Glance]]


def fit_groups(
    groups: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, jobs: int | None = None
) -> Iterator[DeviceFit]:
    """Fits of all devices, common grid after common grid.

    Parameters
    ----------
    groups : sequence of Group
        Those of the largest common grid first: the first of them that were read longest say how large a nonnegative
        number may be, how many steps there are.
    jobs : int, optional
        Processes, 0 for one a core. None: one a core where processes can be forked, else this one alone.
    """
    if jobs is None and not can_fork():
        jobs = 1
    jobs = jobs or os.cpu_count() or 1
    seen: Outlook | None = None
    for family in families(groups):
        task = _Task(_pieces(family), basis.key, noise, rtn)
        shared = _prepared(task)[0]
        known: dict[int, list[Glance]] = {}
        if seen is None:
            first = _looked_at(task.pieces)
            glances = list(_in_pieces(_glance_at_piece, shared, task, first, jobs))
            seen = outlook(shared.whole, [one for piece in glances for one in piece])
            known = dict(zip(first, glances, strict=True))
        everything = range(len(task.pieces))
        for fits in _in_pieces(partial(_fit_piece, seen, known), shared, task, everything, jobs):
            yield from fits


def families(groups: Iterable[Group]) -> list[list[Group]]:
    """Groups by common grid, the shorter first but for those that are the whole grid."""
    by_grid: dict[tuple[bytes, Averaged | None], list[Group]] = {}
    for group in groups:
        by_grid.setdefault((group.common.tobytes(), group.averaged), []).append(group)
    return [
        sorted(family, key=lambda group: (len(group.pulses) < len(group.common), group.pulses[-1]))
        for family in by_grid.values()
    ]


def _pieces(family: Sequence[Group]) -> list[_Piece]:
    """Blocks of large groups, several small groups in one."""
    pieces: list[_Piece] = []
    room = 0
    for group in family:
        for first in range(0, len(group.traces), _BLOCK):
            block = group.part(slice(first, first + _BLOCK))
            if len(block.traces) > room:
                pieces.append([])
                room = _BLOCK
            pieces[-1].append(block)
            room -= len(block.traces)
    return pieces


def _looked_at(pieces: Sequence[_Piece]) -> list[int]:
    """Numbers of the pieces with most reads."""
    sizes = np.array([sum(group.rows.size for group in piece) for piece in pieces])
    return sorted(np.argsort(-sizes, kind="stable")[:_FIRST_BLOCKS].tolist())


def _in_pieces(
    work: Callable[[_Prepared, int], Any], shared: SharedDictionary, task: _Task, numbers: Sequence[int], jobs: int
) -> Iterator[Any]:
    """The work of each piece, in order; in processes where that pays."""
    least = _LEAST_BLOCKS_FORKED if can_fork() else _LEAST_BLOCKS_SPAWNED
    if jobs > 1 and len(numbers) >= least:
        return in_processes(_prepared, task, work, numbers, jobs, (shared, task))
    return (work((shared, task), number) for number in numbers)


def _glance_at_piece(prepared: _Prepared, number: int) -> list[Glance]:
    shared, task = prepared
    glances = []
    for group in task.pieces[number]:
        dictionary = shared.at(group.pulses)
        glances.append(glance(dictionary, scan_group(dictionary, group, _level(task.noise), task.rtn)))
    return glances


def _fit_piece(seen: Outlook, known: _Known, prepared: _Prepared, number: int) -> list[DeviceFit]:
    shared, task = prepared
    fits = []
    for i, group in enumerate(task.pieces[number]):
        dictionary = shared.at(group.pulses)
        found = known[number][i].configurations if number in known else None
        devices = scan_group(dictionary, group, _level(task.noise), task.rtn, found)
        fits += [fit_device(dictionary, device, seen, _stream(device.trace.key)) for device in devices]
    return fits


def _level(noise: ColourFit) -> float | None:
    """Alpha of all devices; None where each is to be judged by its own."""
    return None if math.isnan(noise.alpha) else noise.alpha


def _prepared(task: _Task) -> _Prepared:
    """Also in a process that was started afresh."""
    first = task.pieces[0][0]
    colour = replace(task.noise.colour, averaged=first.averaged)
    return SharedDictionary(first.common, colour, basis_of(*task.basis), task.rtn), task


def scan_group(
    dictionary: Dictionary, group: Group, alpha: float | None, rtn: bool, known: list[Configuration] | None = None
) -> Iterator[ScannedDevice]:
    """Best configuration of each device, unless `known`; `alpha` None means each device's own noise."""
    rows = group.rows
    white, products = dictionary.project(rows)
    plain = best_knees(dictionary, products)
    # missing reads leave nothing in the residuals
    full = white.shape[1] / rows.shape[1]
    own = full * robust_alpha(_residuals(dictionary, white, products, plain))
    used = own if alpha is None else np.where(own > OWN_ALPHA_RATIO * alpha, own, alpha)
    configurations = known or (search_knees_and_steps(dictionary, products, used**2, plain) if rtn else plain)
    if rtn:
        # telegraph steps are not noise: a device is as noisy as it is without them
        own = full * robust_alpha(_residuals(dictionary, white, products, configurations))
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
        left[i] = white[i] - dictionary.columns(active) @ dictionary.solve(products[i], active)[0]
    return left


def _stream(key: str) -> np.random.Generator:
    """Draws of a device depend on its name alone, not on which others are fitted with it."""
    return np.random.default_rng(list(key.encode()))
