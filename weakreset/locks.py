"""One run at a time in a folder or a file: whoever comes second is told who holds it.

A lock is a hidden file beside what it protects, held with `flock`: the kernel lets go of it when the process ends,
however it ends. What is in the file says who holds it. A lock that nobody of this machine holds any more is taken over;
one that another machine left cannot be told from a living one, and its file is named in the refusal.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from weakreset.errors import OutputError
from weakreset.paths import shown_path

if sys.platform != "win32":
    import fcntl

__all__ = ["held", "lives", "remove_stale_lock"]

_LOCK = re.compile(r"\.weakreset(-[0-9a-f]{8})?\.lock")
_PATIENCE_S = 1.5  # workers of a killed run see within a second that their parent is gone, and let go
_MOST_BYTES = 4096
_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # some network file systems
_HANDLES: set[int] = set()


@contextmanager
def held(*files: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> Iterator[None]:
    """These files, and this folder, are this run's alone meanwhile. On Windows nothing is held.

    Parameters
    ----------
    *files : path
        What is there and is no regular file, such as the null device, is nobody's.
    folder : path, optional
        Made where it is not there.

    Raises
    ------
    OutputError
        Another run, also one in this process, holds one of them; names it.
    """
    places = {Path(os.path.realpath(file)) for file in files}
    with ExitStack() as stack:
        for place in sorted(place for place in places if place.is_file() or not place.exists()):
            name = f".weakreset-{zlib.crc32(os.fsencode(place.name)):08x}.lock"  # short, however long the file's is
            stack.enter_context(_holding(place.parent / name, place))
        if folder is not None:
            stack.enter_context(_holding(Path(folder) / ".weakreset.lock", Path(folder)))
        yield


@contextmanager
def _holding(lock: Path, place: Path) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    owner = os.getpid()
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = _taken(lock, place)
    except (OSError, ValueError) as error:  # a NUL in a name
        words = (error.strerror if isinstance(error, OSError) else None) or error
        raise OutputError(f"{shown_path(place)}: cannot be written: {words}") from None
    try:
        yield
    finally:
        if os.getpid() == owner:  # a forked child that unwinds leaves its parent's lock alone
            _release(lock, handle)


def _taken(lock: Path, place: Path) -> int:
    """The lock's file, open and ours."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, f"{shown_path(lock)} is no lock of weakreset")
            if not _free(handle):
                if time.monotonic() >= until:
                    raise OutputError(_refusal(lock, place, _note(handle)))
            elif _same_file(handle, lock):  # else whoever held it removed it after it was opened here
                _sign(handle, lock, place)
                _HANDLES.add(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        time.sleep(0.05)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_FLOCK:
            raise
        return not _lives_here(_note(handle))
    return True


def _same_file(handle: int, lock: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), os.stat(lock, follow_symlinks=False))
    return False


def _sign(handle: int, lock: Path, place: Path) -> None:
    """Write who holds it; refused where another machine holds it, which flock may not know."""
    note = _note(handle)
    if note and not {note.get("host"), note.get("boot")} & {_host(), _boot()}:
        raise OutputError(_refusal(lock, place, note))
    mine = {"process": os.getpid(), "host": _host(), "boot": _boot(), "since": datetime.now().astimezone().isoformat(
        sep=" ", timespec="seconds")}  # fmt: skip
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(mine).encode(), 0)
    except OSError:  # a full disk
        lock.unlink(missing_ok=True)
        raise


def _note(handle: int) -> dict[str, Any]:
    """Who signed; empty where nobody did, or what stands there is not ours."""
    try:
        found = json.loads(os.pread(handle, _MOST_BYTES, 0))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str | int)}


def _refusal(lock: Path, place: Path, note: dict[str, Any]) -> str:
    who, host = note.get("process", "of an unknown number"), str(note.get("host", "this machine"))
    since = f", since {note['since']}" if "since" in note else ""
    way = "wait for it, or name another place"
    if note and host != _host():
        way += f"; if that process is gone, remove {shown_path(lock)}"
    return f"{shown_path(place)}: another run of weakreset is writing here (process {who} on {host}{since}): {way}"


def _lives_here(note: dict[str, Any]) -> bool:
    process = note.get("process")
    if not isinstance(process, int) or process <= 0 or note.get("boot") != _boot():
        return False
    return lives(process)


def lives(process: int) -> bool:
    """Whether a process of this machine is there, anybody's. Not on Windows, where asking can end it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's; no number of a process
        return True
    return True


def _release(lock: Path, handle: int) -> None:
    _HANDLES.discard(handle)
    with suppress(OSError):  # a folder that went away meanwhile
        if _same_file(handle, lock):
            lock.unlink()
    os.close(handle)


def remove_stale_lock(path: Path) -> None:
    """Remove a file if it is a lock that nobody holds and that this machine left."""
    if sys.platform == "win32" or not _LOCK.fullmatch(path.name):
        return
    with suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            note = _note(handle)
            ours = not note or {note.get("host"), note.get("boot")} & {_host(), _boot()}
            if ours and stat.S_ISREG(os.fstat(handle).st_mode) and _free(handle) and _same_file(handle, path):
                path.unlink()
        finally:
            os.close(handle)


@cache
def _host() -> str:
    return platform.node()


@cache
def _boot() -> str:
    """The same for all containers of a machine, another one after it was started anew."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return _host()


def _forget_in_child() -> None:
    """A forked worker has its parent's open locks: were it to keep them, they would outlive a killed parent."""
    for handle in _HANDLES:
        with suppress(OSError):
            os.close(handle)
    _HANDLES.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
