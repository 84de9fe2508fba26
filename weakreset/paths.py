"""Paths as text for people."""

from __future__ import annotations

import os

from weakreset.display import printable

__all__ = ["shown_path"]


def shown_path(path: str | os.PathLike[str]) -> str:
    """As text that can be printed on a line; a name of a thousand signs is cut."""
    text = os.fspath(path).encode("utf-8", errors="backslashreplace").decode().replace("\x00", "\\0")
    text = printable(text)
    return text if len(text) <= 300 else f"{text[:140]}...{text[-140:]}"
