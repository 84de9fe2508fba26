"""How far a long call is: what it tells, and to whom."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "to_no_one"]

Progress = Callable[[int, int, str], None]
"""Called as progress(done, total, what); the total is 0 as long as it is not known."""


def to_no_one(done: int, total: int, what: str) -> None:
    """No one listens."""
