"""The page's end of the line to the bench: one request at a time, its progress, its answer, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from weakreset.progress import Progress

__all__ = ["BenchClient", "Cancelled", "Ended", "Refused"]


_LONGEST_LINE = 256 << 20
_GRACE_S = 5.0  # numpy and pools of processes answer an interrupt when their present piece is done


class Refused(Exception):
    """The library says why something cannot be done."""


class Cancelled(Exception):
    """The request was interrupted; the bench goes on with what it had."""


class Ended(Exception):
    """The process is gone, and with it everything that was read and fitted."""


class BenchClient:
    """Starts `weakreset.app.bench` for a folder, and again where it ended.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._killer: asyncio.TimerHandle | None = None
        self._stopped = False

    async def ask(self, call: str, arguments: dict[str, Any], progress: Progress | None = None) -> dict[str, Any]:
        """Let the bench do `call` of `weakreset.app.calls`.

        Raises
        ------
        Refused, Cancelled, Ended
        """
        async with self._lock:  # one request at a time: answers carry no number
            process = await self._running()
            request = json.dumps({"call": call, "arguments": arguments}) + "\n"
            try:
                if process.stdin is None:
                    raise Ended("no line to the bench")
                process.stdin.write(request.encode())
                await process.stdin.drain()
                return await self._answer(process, progress)
            except ConnectionError as error:
                raise Ended(f"the process that did the work ended ({error})") from None
            finally:
                if self._killer is not None:
                    self._killer.cancel()
                    self._killer = None

    def cancel(self) -> None:
        """Interrupt what is being done, as Ctrl-C would; after some seconds by force."""
        process = self._process
        if process is None or process.returncode is not None or not self._lock.locked():
            return
        if self._killer is None:
            if sys.platform != "win32":
                process.send_signal(signal.SIGINT)
            delay = 0.0 if sys.platform == "win32" else _GRACE_S  # Windows has no signal that only interrupts
            self._killer = asyncio.get_running_loop().call_later(delay, _kill, process)

    async def stop(self) -> None:
        """End the bench for good."""
        self._stopped = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        _kill(process)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_S)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._stopped:
            raise Ended("the window is closed")
        if self._process is None or self._process.returncode is not None:
            # a session of its own: Ctrl-C in the terminal is for the page, which then ends this one in order
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "weakreset.app.bench", str(self.folder), stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE, start_new_session=True, env=_environment(),
            )
        return self._process

    async def _answer(self, process: asyncio.subprocess.Process, progress: Progress | None) -> dict[str, Any]:
        while process.stdout is not None and (line := await process.stdout.readline()):
            said: dict[str, Any] = json.loads(line)
            if "progress" in said:
                if progress is not None:
                    progress(*said["progress"])
            elif "refused" in said:
                raise Refused(said["refused"])
            elif "cancelled" in said:
                raise Cancelled
            else:
                return said
        code = await process.wait()
        by = f"signal {-code}" if code < 0 else f"code {code}"
        raise Ended(f"the process that did the work ended ({by}), and what it had read and fitted is gone with it")


def _environment() -> dict[str, str]:
    """The bench finds the package where this process found it."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _kill(process: asyncio.subprocess.Process) -> None:
    """The bench and the processes of its fit."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)  # its own session, so its own group: workers of the fit are in it
