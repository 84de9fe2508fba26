"""The process that works: reads, fits, draws. `python -m weakreset.app.bench FOLDER`, JSON in lines both ways.

One thread, because only then the processes of a fit can be forked. An interrupt ends what is being done and keeps what
was done before. When the page is gone, its end of the line closes: then this process deletes the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from weakreset.errors import WeakResetError

__all__ = ["serve"]

_REFRESH_S = 0.15


class _Line:
    """What goes to the page; an interrupt counts only while something is being done."""

    def __init__(self, target: int) -> None:
        self.target, self.busy, self.shown = target, False, 0.0
        signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        if self.busy:
            raise KeyboardInterrupt

    def send(self, content: dict[str, Any]) -> None:
        view = memoryview(json.dumps(content, allow_nan=False).encode() + b"\n")
        while view:
            view = view[os.write(self.target, view) :]  # a pipe may take less than a line

    def progress(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self.shown > _REFRESH_S or done == 0:
            self.shown = now
            self.send({"progress": [done, total, what]})


def serve(folder: Path) -> None:
    """Answer requests until the page closes the line."""
    line = _Line(os.dup(1))  # a copy of the line to the page, before 1 becomes the terminal's
    os.dup2(2, 1)  # what a library prints is not an answer
    os.chdir(folder / "files")  # names in provenance and messages are those that the user knows
    try:
        from weakreset.app.calls import Bench

        bench = Bench(folder, line.progress)
        for request in sys.stdin.buffer:
            line.send(_answer(line, bench, json.loads(request)))
    except BrokenPipeError:
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer(line: _Line, bench: Any, request: dict[str, Any]) -> dict[str, Any]:
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")  # each request has its own: Python would show one only once
            line.busy = True
            answer: dict[str, Any] = bench.call(request["call"], request["arguments"])
            line.busy = False
        said = dict.fromkeys(str(item.message) for item in warned if not _internal(item.category))
        return answer | {"warnings": list(said)}
    except KeyboardInterrupt:
        return {"cancelled": True}
    except WeakResetError as error:
        return {"refused": str(error)}
    except BrokenPipeError:
        raise
    except Exception as error:  # whatever it is: the page says it, and goes on
        sys.excepthook(type(error), error, error.__traceback__)
        return {"refused": f"unexpected {type(error).__name__}: {error}. The terminal shows where; please report it"}
    finally:
        line.busy = False


def _internal(category: type[Warning]) -> bool:
    return issubclass(category, (DeprecationWarning, PendingDeprecationWarning, ResourceWarning))


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve())
