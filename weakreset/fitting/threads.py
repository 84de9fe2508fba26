"""One BLAS thread: the matrices of a device are small, and threads would only wait for each other.

It also makes the numbers the same for any number of cores.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits

__all__ = ["one_blas_thread"]


def one_blas_thread() -> AbstractContextManager[object]:
    """Context in which numpy and scipy use one thread; `jobs` processes take its place."""
    limits: AbstractContextManager[object] = threadpool_limits(1, "blas")
    return limits
