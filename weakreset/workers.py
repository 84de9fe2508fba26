"""What a worker process does besides its work: leave Ctrl-C to its parent, and not outlive it."""

from __future__ import annotations

import os
import signal
import threading
import time

__all__ = ["follow_parent"]

_LOOK_S = 1.0


def follow_parent(parent: int) -> None:
    """Call first in a worker: interrupts are the parent's to answer, and a parent that is gone ends the worker.

    Parameters
    ----------
    parent : int
        Process number of the parent, which may have been killed before the worker came up.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
