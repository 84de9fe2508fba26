"""Other processes that tests start."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ctrl_c_heard", "here"]


@contextmanager
def ctrl_c_heard() -> Iterator[None]:
    """Processes started meanwhile hear Ctrl-C: under a shell's `&`, all that tests start would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def here() -> dict[str, str]:
    """Environment in which another process finds this checkout."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}
