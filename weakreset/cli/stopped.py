"""What becomes of interrupts, and of errors that weakreset did not foresee."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from typer.core import TyperGroup

from weakreset.cli.common import Terminated, silence_stdout

__all__ = ["Interrupted", "InterruptibleGroup", "kept", "signals_unwind", "unforeseen"]

_AGAIN_S = 0.05
_LONGEST_IMPORT_S = 10.0  # torch on a busy machine


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM on its way to `run`; typer would answer KeyboardInterrupt itself, with another exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class InterruptibleGroup(TyperGroup):
    """Hands interrupts and a closed pipe to `run`, past typer."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise Interrupted(143 if isinstance(stop, Terminated) else 130) from None
        except BrokenPipeError:
            silence_stdout()
            return None


@contextmanager
def signals_unwind() -> Iterator[None]:
    """Ctrl-C and SIGTERM unwind the work: parts are removed, workers ended, what was kept is said."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    until: list[float] = []  # how long the first signal may be put off

    def stop(number: int, frame: FrameType | None) -> None:
        until[:] = until or [time.monotonic() + _LONGEST_IMPORT_S]
        if _in_import(frame) and time.monotonic() < until[0]:
            # a library of C that is cut off half-way is broken: what goes on with it fails in odd ways, or crashes
            _send_again(number)
            return
        # in the main thread, wherever it is: with blocks and finally clauses run
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    def lost(ignored: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised while it removes an object, and goes on: the signal would be lost."""
        if isinstance(ignored.exc_value, KeyboardInterrupt):
            _send_again(signal.SIGTERM if isinstance(ignored.exc_value, Terminated) else signal.SIGINT)
        else:
            hook(ignored)

    hook, sys.unraisablehook = sys.unraisablehook, lost
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, stop)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, or somebody else's
        before[signal.SIGINT] = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook


def _send_again(number: int) -> None:
    again = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _in_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def kept(written: Sequence[Path]) -> str:
    """What is there of the work."""
    if not written:
        return "nothing was written by this process, and what was there before is as it was"
    names = ", ".join(map(str, written[-5:]))
    return f"written before, whole: {names}" + (f" and {len(written) - 5} more" if len(written) > 5 else "")


def unforeseen(error: Exception, arguments: Sequence[str], written: Sequence[Path]) -> str:
    """What was being done, where the traceback is, what was kept."""
    words = str(error).strip().partition("\n")[0][:300]  # one line: the traceback has the rest
    return (
        f"weakreset: an error that was not foreseen, in `weakreset {' '.join(arguments)[:300]}`: "
        f"{type(error).__name__}{': ' if words else ''}{words}. {_saved(error)} {kept(written).capitalize()}."
    )


def _saved(error: Exception) -> str:
    """Into the temporary folder, readable by its owner alone: a traceback may hold names of files and devices."""
    try:
        handle, path = tempfile.mkstemp(prefix="weakreset-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(traceback.format_exception(error))
    except OSError as why:
        return f"Its traceback could not be saved ({why})."
    return f"Its traceback is in {path}: please send it to the developers."
