"""What is read wrongly today. A kind that is no longer wrong fails its test until its entry is taken off."""

from __future__ import annotations

KNOWN_WRONG: dict[str, str] = {}
"""Kind -> the formats on which it is wrong."""

KNOWN_WRONG_DIALECTS: list[dict[str, object]] = []
"""Choices of a dialect that together are read wrongly."""

KNOWN_WRONG_PROMISES: set[str] = set()
"""Promises that are not kept."""

KNOWN_WRONG_SHARED: set[str] = set()
"""Cases beside the checkout that are read wrongly."""
