"""Files of older schema versions, brought up to the present one step by step; each step says what it does.

1.1.0: a stored verdict names the numbers that it was reached with (`validation.numbers_sha256`); `provenance.edits`;
provenance and the numbers of noise that is off may be left out; units other than those of the drift shape are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["OLDEST", "migrated"]

OLDEST = (1, 0)
Version = tuple[int, int]
Raw = dict[str, Any]


def _to_1_1(raw: Raw) -> list[str]:
    """1.0 stored verdicts without saying of which numbers: they are taken to be of those in the file."""
    if not isinstance(raw.get("validation"), dict):
        return []
    raw["validation"] = raw["validation"] | {"numbers_sha256": None}
    return ["its verdict is taken to be of the numbers in it, which schema 1.0 could not tell"]


_STEPS: tuple[tuple[Version, Callable[[Raw], list[str]]], ...] = (((1, 1), _to_1_1),)
"""The version that each step leads to, and the step."""


def migrated(raw: Raw, version: Version) -> tuple[Raw, list[str]]:
    """The content as the present schema has it, and a sentence for everything that is approximate."""
    content, said = dict(raw), []
    for target, step in _STEPS:
        if version < target:
            said += step(content)
    return content, said
