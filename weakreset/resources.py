"""Files: those that travel with weakreset, in a checkout or a wheel; and how files are written, hashed and named."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "bundled",
    "display_path",
    "readable",
    "sha256_meanwhile",
    "sha256_of",
    "whole_or_nothing",
    "write_atomically",
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


@contextmanager
def whole_or_nothing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A neighbour of `path` to write to; it is synced and renamed over `path` if all went well."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb") as stream:
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a whole file or nothing."""
    with whole_or_nothing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(path)


def display_path(path: Path) -> str:
    """Path as the user would write it: relative to the working directory where that is shorter."""
    try:
        return readable(str(path.resolve().relative_to(Path.cwd())))
    except ValueError:
        return readable(str(path))


def readable(name: str) -> str:
    """A name of a file as text that can be printed and stored; bytes that are no UTF-8 as `\\udce9`."""
    return name.encode("utf-8", errors="backslashreplace").decode("utf-8")
