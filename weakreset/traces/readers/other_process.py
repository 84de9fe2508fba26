"""One helper process that forks for every file: a fork costs 10 ms where a new Python costs half a second.

The helper is started when it is first needed and ends with this process. Every fork may use 700 MB plus 4 times the
file, and 4 s of processor time plus 1 s for 4 MB. Where there is no fork (Windows), every file gets a new process,
without the limit on memory.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from weakreset.errors import TraceFormatError
from weakreset.traces.readers import wire

__all__ = ["LIMITS", "REFUSED", "answer_for", "ask"]

REFUSED, LIMITS = 3, 4
_MEMORY_BYTES = 700 << 20  # 700 MB beside four times the file: what the libraries take is in it
_CPU_SECONDS = 4  # for importing them, before the first byte
_WALL_SECONDS = 30  # long enough for a busy machine, short enough for a person who waits
_BYTES_A_SECOND = 4 << 20  # 4 MB: the slowest format on a slow machine
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}  # fmt: skip
_HEAD = struct.Struct("<QB")


class _Helper:
    """The running helper process; used by one thread at a time, and only by the process that started it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0

    def start(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.owner == os.getpid() and self.process.poll() is None:
            return self.process
        environment = os.environ | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment, start_new_session=True,
        )  # fmt: skip
        self.owner = os.getpid()
        return self.process

    def stop(self) -> None:
        """End the helper and any fork of it."""
        process, self.process = self.process, None
        if process is None or self.owner != os.getpid():
            return
        with suppress(OSError):
            os.killpg(process.pid, 9) if hasattr(os, "killpg") else process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()


_HELPER = _Helper()
atexit.register(_HELPER.stop)


def ask(reader: Any, path: Path, size: int) -> tuple[int, bytes]:
    """Let the helper call `reader.parse`: 0 and the answer, or another number and why not."""
    request = {"module": type(reader).__module__, "kind": type(reader).__qualname__,
               "path": str(path.resolve()), "size": size, "skip": getattr(reader, "skip", 0)}  # fmt: skip
    seconds = _WALL_SECONDS + 4 * (size // _BYTES_A_SECOND)
    with _HELPER.lock:
        process = _HELPER.start()
        try:
            return _exchange(process, json.dumps(request).encode() + b"\n", time.monotonic() + seconds)
        except TimeoutError:
            _HELPER.stop()
            return (
                LIMITS,
                f"not read after {seconds} s, far too long for {size} bytes; broken, or export as CSV".encode(),
            )
        except (OSError, EOFError) as error:
            _HELPER.stop()
            return LIMITS, f"the process that read it ended ({error}); the file is broken, or export it as CSV".encode()
        except BaseException:
            _HELPER.stop()
            raise


def _exchange(process: subprocess.Popen[bytes], request: bytes, until: float) -> tuple[int, bytes]:
    if process.stdin is None or process.stdout is None:
        raise EOFError("no pipes")
    process.stdin.write(request)
    process.stdin.flush()
    length, code = _HEAD.unpack(_receive(process.stdout.fileno(), _HEAD.size, until))
    return code, _receive(process.stdout.fileno(), length, until)


def _receive(source: int, length: int, until: float) -> bytes:
    pieces, missing = [], length
    while missing:
        if sys.platform != "win32" and not select.select([source], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        piece = os.read(source, min(missing, 1 << 20))
        if not piece:
            raise EOFError("no answer")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _serve() -> None:
    """The helper: a fork a request, its answer passed on."""
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is not an answer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reader = getattr(importlib.import_module(request["module"]), request["kind"])()
        if request.get("skip"):
            reader = reader.skipping(request["skip"])
        for package in getattr(reader, "packages", ()):
            with suppress(ImportError):
                importlib.import_module(package)
        path = Path(request["path"])
        code, pieces = _fork(reader, path, request["size"]) if hasattr(os, "fork") else answer_for(reader, path)
        _send(answers, [_HEAD.pack(sum(map(len, pieces)), code), *pieces])


def _fork(reader: Any, path: Path, size: int) -> tuple[int, list[wire.Buffer]]:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.close(read_end)
            _limit(size)
            code, pieces = answer_for(reader, path)
            _send(write_end, [bytes([code]), *pieces])
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        first, answer = stream.read(1), stream.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) or not first:
        signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        words = f"its library crashed or took too long (signal {signal}); the file is broken, or export it as CSV"
        return LIMITS, [words.encode()]
    return first[0], [answer]


def answer_for(reader: Any, path: Path) -> tuple[int, list[wire.Buffer]]:
    """0 and the tables of a file as bytes in pieces, or another number and why it is refused."""
    try:
        return 0, wire.pack(reader.parse(path))
    except MemoryError:
        return LIMITS, [b"it needs more memory than a file of its size can; broken, or export it as CSV"]
    except TraceFormatError as error:
        words = str(error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what a library written in Rust panics with is no Exception
        words = f"cannot be read ({type(error).__name__}: {str(error)[:200]})"
    return REFUSED, [words.encode("utf-8", errors="replace")]


def _send(target: int, pieces: Sequence[wire.Buffer]) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(target, view[: 1 << 20]) :]


def _limit(size: int) -> None:
    """Limits on what this process may use from here on."""
    import resource

    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + _MEMORY_BYTES + 4 * size
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = _CPU_SECONDS + size // _BYTES_A_SECOND
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


if __name__ == "__main__":
    _serve()
