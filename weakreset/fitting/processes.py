"""Work on numbered pieces in several processes, results in order.

Where this process has one thread and the system can fork, the others are forked: they start in a few
milliseconds and share what was computed so far. Elsewhere they are started afresh, which takes seconds,
needs the `if __name__ == "__main__"` of a script, and so is done for large sets only, when asked for.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from weakreset.errors import FitError
from weakreset.fitting.threads import one_blas_thread
from weakreset.workers import follow_parent, stopped_with

__all__ = ["can_fork", "in_processes"]

_STATE: dict[str, Any] = {}
_MOST_RESTARTS = 3


def can_fork() -> bool:
    """Whether forking is safe here: Linux, and no other Python thread that might hold a lock."""
    return sys.platform == "linux" and threading.active_count() == 1


def in_processes(
    build: Callable[[Any], Any], recipe: Any, work: Callable[[Any, int], Any], numbers: Sequence[int], jobs: int,
    built: Any = None,
) -> Iterator[Any]:
    """Yield work(built, number) for every piece of these numbers, in order.

    Parameters
    ----------
    build : callable
        recipe -> what all pieces need. Called in each process unless it can be shared by forking.
    recipe : object
        Small enough to send.
    work : callable
        (built, number) -> result. A function of a module, as `build` is.
    built : object, optional
        build(recipe), if it exists already.

    Raises
    ------
    FitError
        Processes are killed again and again; one that is killed once is made up for.
    """
    done, restarts = 0, 0
    while done < len(numbers):
        try:
            for result in _in_one_pool(build, recipe, work, numbers[done:], jobs, built):
                done += 1
                yield result
        except BrokenProcessPool as error:
            # a process was killed, by the system for want of memory most often: what it had is done again
            restarts += 1
            if restarts > _MOST_RESTARTS:
                raise FitError(
                    f"processes of the fit were killed {restarts} times, after {done} of {len(numbers)} blocks of "
                    "devices; if memory runs out, take fewer of them (`--jobs 1`)"
                ) from error


def _in_one_pool(
    build: Callable[[Any], Any], recipe: Any, work: Callable[[Any, int], Any], numbers: Sequence[int], jobs: int,
    built: Any,
) -> Iterator[Any]:
    fork = can_fork()
    _STATE["built"] = built if fork else None
    context = multiprocessing.get_context("fork" if fork else "spawn")
    pool = ProcessPoolExecutor(jobs, context, _start, (build, recipe, os.getpid()))
    with pool, stopped_with():
        pieces = pool.map(_do, [work] * len(numbers), numbers)
        _STATE.clear()
        yield from pieces


def _start(build: Callable[[Any], Any], recipe: Any, parent: int) -> None:
    gc.freeze()  # what was inherited is not garbage: looking through it would copy it
    follow_parent(parent)
    if _STATE.get("built") is None:
        _STATE["built"] = build(recipe)


def _do(work: Callable[[Any, int], Any], number: int) -> Any:
    with one_blas_thread():
        return work(_STATE["built"], number)
