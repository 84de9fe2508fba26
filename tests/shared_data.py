"""Real measured files beside the checkout; a test that needs one that is absent is skipped with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _main_checkout() -> Path | None:
    """The checkout that a git worktree belongs to."""
    pointer = ROOT / ".git"
    if not pointer.is_file():
        return None
    git_dir = Path(pointer.read_text().partition(":")[2].strip())
    return git_dir.parent.parent.parent


def _places() -> Iterator[Path]:
    if named := os.environ.get("WEAKRESET_SHARED_DATA"):
        yield Path(named)
    for checkout in (ROOT, _main_checkout()):
        if checkout is not None:
            yield checkout.parent / "shared" / "data"


def shared(path: str) -> Path:
    """The file or folder `path` of the shared data, or a skip."""
    for place in _places():
        if (place / path).exists():
            return place / path
    pytest.skip(f"shared data are not here: no {path} in {', '.join(map(str, _places()))} (set WEAKRESET_SHARED_DATA)")
