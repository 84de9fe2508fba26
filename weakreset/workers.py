"""What a worker process does besides its work: leave Ctrl-C to its parent, and not outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["follow_parent", "stopped_with"]

_LOOK_S = 1.0


def follow_parent(parent: int) -> None:
    """Call first in a worker: interrupts are the parent's to answer, and a parent that is gone ends the worker.

    Parameters
    ----------
    parent : int
        Process number of the parent, which may have been killed before the worker came up.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a forked worker has its parent's handler
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


@contextmanager
def stopped_with() -> Iterator[None]:
    """End the workers that were started inside when it is left by an error or an interrupt, not when they are done."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        workers = set(multiprocessing.active_children()) - before
        for worker in workers:
            worker.kill()  # they have no more to say, and compiled code hears nothing gentler before it is done
        for worker in workers:
            worker.join(_LOOK_S)
        raise


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
