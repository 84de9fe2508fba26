"""How functions of this folder are compiled: three decorators around numba."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["entry", "inlined", "inner", "not_kept"]

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "nogil": True, "error_model": "numpy",  # threads run at once; x / 0 is infinite as in torch, no exception
    "_nrt": False,  # nothing is allocated: no counts of references, and an eighth less time to compile
}
_INNER = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_INLINED = _INNER | {"inline": "always"}


def entry(function: Function) -> Function:
    """Callable from Python; kept on disk for the next process; other threads run while it does.

    numba keeps the code under the name of `function` and sees when its file changes, not when those change that it
    takes functions and numbers from: so their contents are made part of the name.
    """
    function.__qualname__ = f"{function.__qualname__}_{_contents()}"
    return cast(Function, numba.njit(cache=True, **_OPTIONS)(function))


@lru_cache(maxsize=1)
def _contents() -> str:
    """Short for what the files of the simulation and of the drift shapes say."""
    digest, package = hashlib.blake2b(digest_size=8), Path(__file__).parents[2]
    for folder in (package / "model" / "drift", package / "simulation"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=16)
def not_kept(function: Any) -> Any:
    """The same as an `entry`, compiled anew in every process."""
    return numba.njit(**_OPTIONS)(function.py_func)


def inner(function: Function) -> Function:
    """Callable from compiled code only, which saves half of the time to compile it."""
    return cast(Function, numba.njit(**_INNER)(function))


def inlined(function: Function) -> Function:
    """Put into the functions that call it; which of the two kinds compiles faster was found by trying."""
    return cast(Function, numba.njit(**_INLINED)(function))
