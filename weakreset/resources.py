"""Files: those that travel with weakreset, in a checkout or a wheel; and how files are hashed and named.

How they are written is in `outputs`; its names are here too, for those who write and name at once.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from weakreset.outputs import all_or_none, check_outputs, whole_or_nothing, write_atomically, written_files

__all__ = [
    "all_or_none",
    "bundled",
    "check_outputs",
    "display_path",
    "readable",
    "sha256_meanwhile",
    "sha256_of",
    "whole_or_nothing",
    "write_atomically",
    "written_files",
]

_PACKAGE = Path(__file__).resolve().parent


def bundled(folder: str) -> Path:
    """The folder `data` or `fitted_params`: inside the wheel, or at the top of a checkout."""
    inside = _PACKAGE / "_bundled" / folder
    return inside if inside.is_dir() else _PACKAGE.parent / folder


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in blocks: large ones, because between them it may wait for other threads."""
    digest, block = hashlib.sha256(), memoryview(bytearray(1 << 23))
    with open(path, "rb", buffering=0) as stream:
        while size := stream.readinto(block):
            digest.update(block[:size])
    return digest.hexdigest()


def sha256_meanwhile(path: Path) -> Future[str]:
    """The same, being computed by a thread of its own."""
    pool = ThreadPoolExecutor(1)
    digest = pool.submit(sha256_of, path)
    pool.shutdown(wait=False)
    return digest


def display_path(path: Path) -> str:
    """Path as the user would write it: relative to the working directory where that is shorter."""
    try:
        return readable(str(path.resolve().relative_to(Path.cwd())))
    except ValueError:
        return readable(str(path))


def readable(name: str) -> str:
    """A name of a file as text that can be printed and stored; bytes that are no UTF-8 as `\\udce9`."""
    return name.encode("utf-8", errors="backslashreplace").decode("utf-8")
