"""What this installation is and whether its parts work: for bug reports, and for `weakreset doctor`."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from weakreset.version import __version__

__all__ = ["Finding", "examine", "versions"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
    state : str
        "ok", "missing" (an extra that is not installed), "slow" (it works, but not at its best) or "broken".
    words : str
        What was found, and what to do.
    """

    what: str
    state: str
    words: str


def versions() -> list[tuple[str, str]]:
    """Name and version of everything a bug report needs."""
    found = [
        ("weakreset", __version__), ("installed in", str(Path(__file__).resolve().parent)),
        ("python", f"{platform.python_version()} ({sys.executable})"), ("system", platform.platform()),
        ("processors", f"{_processors()} of {os.cpu_count()}, {platform.machine()}"),
    ]
    found += [(name, _version(name) or "absent") for name, extra in _requirements() if not extra]
    found += [(f"{name} (extra {extra})", _version(name) or "absent") for name, extra in _requirements() if extra]
    threads = {key: os.environ[key] for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                                "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT") if key in os.environ}
    return [*found, *threads.items()]


def examine() -> Iterator[Finding]:
    """Look at one thing after the other; a few seconds, most of it for torch and the compiler."""
    for name, extra in _requirements():
        if not extra and _version(name) is None:
            yield Finding(name, "broken", "not installed; pip install weakreset")
    yield from map(_tried, (_torch, _compiled, _numba_cache, _temporary, _figures))
    extras: dict[str, list[str]] = {}
    for name, extra in _requirements():
        if extra and extra != "dev":
            extras.setdefault(extra, []).append(name)
    for extra, names in extras.items():
        absent = [name for name in names if _version(name) is None]
        words = f"pip install 'weakreset[{extra}]' brings {', '.join(absent)}" if absent else ", ".join(names)
        yield Finding(f"extra {extra}", "missing" if absent else "ok", words)


def _tried(check: Callable[[], Finding]) -> Finding:
    """A check that fails in any way is a finding, not the end."""
    try:
        return check()
    except Exception as error:  # whatever a broken installation does
        what = check.__name__.strip("_").replace("_", " ")
        return Finding(what, "broken", f"{type(error).__name__}: {error}")


def _torch() -> Finding:
    import torch

    threads, here = torch.get_num_threads(), _processors()
    more = ", a GPU is seen" if torch.cuda.is_available() else ", on processors only"
    if threads < here:
        return Finding("torch", "slow", f"{torch.__version__} uses {threads} of {here} processors: OMP_NUM_THREADS?")
    return Finding("torch", "ok", f"{torch.__version__}, {threads} threads{more}")


def _compiled() -> Finding:
    """One step of a few devices, by the compiled kernel."""
    import numba

    from weakreset.simulation import DeviceArray

    if getattr(numba.config, "DISABLE_JIT", 0):
        return Finding("compiled kernel", "slow", "NUMBA_DISABLE_JIT is set: plain torch, about ten times slower")
    import torch

    array = DeviceArray((4,), "majumdar2021", seed=0)
    array.pulse(torch.ones(4, dtype=torch.int64))
    return Finding("compiled kernel", "ok", f"numba {numba.__version__}")


def _numba_cache() -> Finding:
    """Whether compiled code is kept for the next process."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(asked) if asked else Path(__file__).resolve().parent / "simulation" / "compiled" / "__pycache__"
    if _writable(folder):
        return Finding("compiled code is kept", "ok", str(folder))
    words = f"{folder} cannot be written: set NUMBA_CACHE_DIR to a folder that can"
    return Finding("compiled code is kept", "slow", words)


def _temporary() -> Finding:
    folder = Path(tempfile.gettempdir())
    if _writable(folder):
        return Finding("temporary folder", "ok", str(folder))
    return Finding("temporary folder", "broken", f"{folder} cannot be written: set TMPDIR")


def _figures() -> Finding:
    import matplotlib

    folder = Path(matplotlib.get_cachedir())
    if _writable(folder):
        return Finding("figures", "ok", f"matplotlib {matplotlib.__version__}, fonts kept in {folder}")
    return Finding("figures", "slow", f"{folder} cannot be written: set MPLCONFIGDIR, or fonts are searched every time")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _requirements() -> list[tuple[str, str]]:
    """Packages that weakreset names, each with the extra it belongs to; "" for those that it always needs."""
    try:
        lines = metadata.requires("weakreset") or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for line in lines:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        if name and name[0] != "weakreset":
            found.append((name[0], extra[1] if extra else ""))
    return [(name, extra) for name, extra in found if extra != "dev"]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
