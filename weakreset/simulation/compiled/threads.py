"""The same work in several threads at once: torch's own, where they can be had.

After every operation torch's threads wait for the next one actively, for milliseconds. Threads beside them would share
the processors with that waiting and take half again as long; so the work is given to them. They belong to the OpenMP
library that torch has loaded, whose entry for compiled loops, `GOMP_parallel`, calls a function in every thread.

With threads of our own beside torch's two, a step that follows another operation of torch takes 1.15 to 1.2 times as
long where all weights are pulsed and 1.1 to 1.3 times where 2 % are (medians and lower quartiles of turns, on a machine
busy with other work); a training step of the MNIST network, which is mostly torch's own work, 1.0 to 1.06 times.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

__all__ = ["in_threads"]

T = TypeVar("T")

_PROCESS = os.getpid()
_Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def in_threads(work: Callable[[], T], threads: int) -> list[T]:
    """Call `work()` in up to `threads` threads, this one among them; what the calls returned.

    There may be fewer calls than threads: the library decides. What a call raises is raised here, after all have ended.
    """
    if threads == 1:
        return [work()]
    process = os.getpid()
    run = _openmp() if process == _PROCESS else None  # forked: it has none of the threads, and would wait for them
    if run is None:
        waiting = [_pool(threads, process).submit(work) for _ in range(threads - 1)]
        return [work(), *(future.result() for future in waiting)]
    results: list[T] = []
    failures: list[BaseException] = []

    def call(_: object) -> None:
        try:
            results.append(work())
        except BaseException as failure:  # must not leave the library's thread; raised below
            failures.append(failure)

    run(_Callback(call), None, threads, 0)  # returns when all have
    if failures:
        raise failures[0]
    return results


@lru_cache(maxsize=1)
def _openmp() -> Callable[..., None] | None:
    """`GOMP_parallel(function, data, threads, flags)`; None where torch uses something else."""
    try:
        function: Any = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):  # another library; Windows, which has no list of everything loaded
        return None
    function.argtypes, function.restype = (_Callback, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint), None
    return function  # type: ignore[no-any-return]


@lru_cache(maxsize=4)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Kept: a thread that starts anew in every step comes too late to be of help. Of this process: see `in_threads`."""
    return ThreadPoolExecutor(threads - 1)
