"""What becomes of interrupts, and of errors that weakreset did not foresee."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from weakreset.cli.common import Terminated, silence_stdout

__all__ = ["Interrupted", "InterruptibleGroup", "kept", "termination_is_an_error", "unforeseen"]


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
def termination_is_an_error() -> Iterator[None]:
    """SIGTERM unwinds the work as Ctrl-C does: parts are removed, workers ended, what was kept is said."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return

    def terminate(number: int, frame: object) -> None:
        raise Terminated  # in the main thread, wherever it is: with blocks and finally clauses run

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
