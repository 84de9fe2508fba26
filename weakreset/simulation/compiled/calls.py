"""Hand a chip that lives in main memory to the compiled kernel, split among torch's number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from weakreset.simulation.compiled.arguments import AdamStep, Chip, Physics, Programming, Scratch, constant
from weakreset.simulation.compiled.garbage import garbage_kept
from weakreset.simulation.compiled.threads import in_threads
from weakreset.simulation.counter_random import Key
from weakreset.simulation.kernels import DeviceState, NoiseTables
from weakreset.simulation.moving_rows import row_width
from weakreset.simulation.traits import formula_number, outside, trait_names

__all__ = ["adam_pulse", "advance", "move_latents", "program_pairs", "pulse_pairs"]

_LEAST_SHARE = 1 << 15
"""Weights or devices that a thread takes at a time; fewer are not worth one."""

_SHARES = 2
"""Of a thread, where there is more to do: handing one over costs some ten microseconds."""


def advance(state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor) -> None:
    """As `kernels.advance`."""
    shared = (_chip(state), _physics(tables), _unsigned(key), index.numpy(), n.numpy())
    _in_shares("advance_range", shared, index.numel())


def pulse_pairs(
    state: DeviceState, tables: NoiseTables, keys: tuple[Key, Key], n: torch.Tensor, weight: torch.Tensor
) -> tuple[int, int, int]:
    """Signed bursts `n` (int32, flat) for pairs; brings `weight` up to date; pulses, devices, flips."""
    shared = (_chip(state), _physics(tables), _both(keys), n.numpy(), weight.numpy())
    pulses, devices, flips = _in_shares("pair_range", shared, n.numel())
    return pulses, devices, flips


def adam_pulse(
    state: DeviceState, tables: NoiseTables, keys: tuple[Key, Key], moments: tuple[torch.Tensor, ...],
    weight: torch.Tensor, step: AdamStep,
) -> tuple[int, int, int, int]:
    """Adam's step on (gradient, mean, square), turned into pulses; pulses, devices, flips, not a number."""
    flat = [part.view(-1).numpy() for part in (*moments, weight)]
    shared = (_chip(state), _physics(tables), _both(keys), *flat, step)
    pulses, devices, flips, bad = _in_shares("adam_range", shared, weight.numel())
    return pulses, devices, flips, bad


def move_latents(parts: tuple[torch.Tensor, ...], numbers: tuple[Any, ...]) -> int:
    """Latent numbers moved in place; how many updates were no number.

    With (gradient, mean, square, latent) `numbers` are Adam's; with (gradient, latent of one byte) they are the levels
    that a unit of the gradient moves, and a key.
    """
    flat = [part.view(-1).numpy() for part in parts]
    name = "latent_range" if len(parts) == 4 else "byte_latent_range"
    return _in_shares(name, (*flat, *numbers), flat[-1].size)[0]


def program_pairs(
    state: DeviceState, tables: NoiseTables, keys: Sequence[Key], programming: Programming, device: torch.Tensor,
    weight: torch.Tensor,
) -> tuple[int, ...]:
    """Bursts to each `device` until its pair has turned its way; pulses, devices, flips, bursts.

    `keys` is that of tie coins and one for every burst a pair may get.
    """
    words = np.array(keys, np.uint64).reshape(-1)  # flat: tuples of other lengths would be other types, each compiled
    shared = (_chip(state), _physics(tables), words, programming, device.numpy(), weight.numpy())
    return tuple(_in_shares("program_range", shared, device.numel()))


def _in_shares(name: str, shared: tuple[Any, ...], total: int) -> list[int]:
    """Sums of what `compiled.step`'s `name(*shared, scratch, start, stop)` returns for ranges that cover 0 .. total.

    Threads take the next range when they are done with one: a processor that is busy with something else then costs its
    share of the time and not all of it.
    """
    physics = next((part for part in shared if isinstance(part, Physics)), None)
    function = _compiled(name, physics is not None and outside(len(physics.shape)))
    # not compiled yet: once here, on an empty range, or every thread would compile it
    if not getattr(function, "signatures", True):
        with garbage_kept(), _scratch() as scratch:
            function(*shared, scratch, 0, 0)
    # as many as torch has: `torch.set_num_threads` is obeyed here too
    threads = max(1, min(torch.get_num_threads(), total // _LEAST_SHARE))
    size = max(_LEAST_SHARE, total // (_SHARES * threads if threads > 1 else 1))
    starts = iter(range(0, max(total, 1), size))  # shared: `next` of a range is one step of the interpreter

    def work() -> list[tuple[int, ...]]:
        with _scratch() as scratch:
            return [function(*shared, scratch, start, min(start + size, total)) or () for start in starts]

    results = (result for part in in_threads(work, threads) for result in part)
    return [sum(column) for column in zip(*results, strict=True)]


@lru_cache(maxsize=8)
def _compiled(name: str, anew: bool) -> Callable[..., Any]:
    """Of this name in `compiled.step`, loaded when it is needed first, and numba with it.

    What is kept on disk knows formulas by numbers, which another process may give to other ones: code for drift shapes
    from outside this package is compiled in every process.
    """
    with garbage_kept():
        from weakreset.simulation.compiled import step
        from weakreset.simulation.compiled.compiling import not_kept
    function: Callable[..., Any] = getattr(step, name)
    return not_kept(function) if anew else function


_FREE: list[Scratch] = []


@contextmanager
def _scratch() -> Iterator[Scratch]:
    """Room for one thread, kept for the next that asks: a step allocates nothing."""
    try:
        scratch = _FREE.pop()
    except IndexError:
        scratch = _new_scratch()
    try:
        yield scratch
    finally:
        _FREE.append(scratch)


def _new_scratch() -> Scratch:
    from weakreset.simulation.compiled.devices import CHUNK
    from weakreset.simulation.compiled.step import BLOCK
    from weakreset.simulation.compiled.weights import MASK_WIDTH

    device, pulses, words = (np.zeros(size, np.int64) for size in (2 * BLOCK, 2 * BLOCK, CHUNK))
    masks = np.zeros(2 * (BLOCK // MASK_WIDTH + 2), np.uint64)
    return Scratch(device, pulses, words, np.empty(2 * BLOCK, np.float32), np.empty(BLOCK, np.int32), masks)


def _chip(state: DeviceState) -> Chip:
    # views: the kernel writes the buffers themselves. Empty, not None: an optional array would be another type
    traits, moving = (part.numpy().reshape(-1) for part in (state.traits, state.moving))
    stuck = np.zeros(0, np.bool_) if state.unresponsive is None else state.unresponsive.numpy().reshape(-1)
    return Chip(traits, moving, stuck)


@lru_cache(maxsize=64)
def _physics(tables: NoiseTables) -> Physics:
    lanes = len(tables.pole_sd)
    return Physics(
        shape=constant(formula_number(tables.shape)), columns=constant(len(trait_names(tables.shape))),
        width=constant(row_width(lanes)),
        pink=constant(tables.pink), rtn=constant(tables.rtn), read=constant(tables.read_sd > 0),
        factors=torch.hstack([tables.keep, tables.renew]).view(-1).numpy(),
        limits=torch.stack([tables.high_if_low, tables.high_if_high], dim=1).view(-1).numpy(),
        pole_sd=tuple(tables.pole_sd.numpy()), read_sd=np.float32(tables.read_sd),
        normals=tables.normals.numpy(), vectors=tables.vectors.view(-1).numpy(), white=tables.white.numpy(),
    )


def _unsigned(key: Key) -> tuple[np.uint64, np.uint64]:
    return np.uint64(key[0]), np.uint64(key[1])


def _both(keys: tuple[Key, Key]) -> tuple[tuple[np.uint64, np.uint64], tuple[np.uint64, np.uint64]]:
    return _unsigned(keys[0]), _unsigned(keys[1])
